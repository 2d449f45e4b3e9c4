using System.Text;
using System.Text.Json;

namespace Millstream.Cli.Running.Agents;

/// <summary>What a user types while an agent works: messages for it, decisions on calls, and a few commands.</summary>
/// <param name="job">The agent's job.</param>
/// <param name="orchestrator">What runs it and the agents that it calls.</param>
/// <param name="screen">The terminal.</param>
/// <param name="approvals">The calls that wait for a decision.</param>
internal sealed class AgentKeyboard(Job job, AgentOrchestrator orchestrator, AgentScreen screen, AgentApprovals approvals)
{
    public const string Help = "type a message for the agent and Enter; Esc stops what it does; /limit turns=N tokens=N cost=N toolCalls=N; Ctrl-C cancels the job";

    private const int Width = 33;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    private WaitingCall? _asked;

    /// <summary>Reads until the token fires.</summary>
    public async Task ReadAsync(CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            if (approvals.First is { } waiting && !ReferenceEquals(waiting, _asked))
            {
                _asked = waiting;
                await LineAsync($"  allow {$"{waiting.ToolName} {AgentEvents.Brief(waiting.Call?.Arguments, Width)}".TrimEnd()}? y, n, e to edit, or a reason against it: ", null, token);
                continue;
            }
            if (!Console.KeyAvailable)
            {
                await Task.Delay(Pause, CancellationToken.None);
                continue;
            }
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Escape)
                await TellAsync(new LlmSignal.Interrupt());
            else if (!char.IsControl(key.KeyChar))
                await LineAsync("> ", key, token);
        }
    }

    private async Task LineAsync(string prompt, ConsoleKeyInfo? first, CancellationToken token)
    {
        WaitingCall? asked = first is null ? _asked : null;
        screen.Hold(prompt);
        string? line;
        try
        {
            line = await ReadLineAsync(first, () => asked is not null && !ReferenceEquals(approvals.First, asked), token);
        }
        finally
        {
            screen.Release();
        }
        if (asked is not null)
            await DecideAsync(asked, line, token);
        else if (line is { Length: > 0 })
            await SayAsync(line);
    }

    /// <returns>The line; null where it was left with Esc, or is not wanted any more.</returns>
    private async Task<string?> ReadLineAsync(ConsoleKeyInfo? first, Func<bool> isOver, CancellationToken token)
    {
        StringBuilder line = new();
        while (!token.IsCancellationRequested && !isOver())
        {
            if (first is null && !Console.KeyAvailable)
            {
                await Task.Delay(Pause, CancellationToken.None);
                continue;
            }
            ConsoleKeyInfo key = first ?? Console.ReadKey(intercept: true);
            first = null;
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    return line.ToString().Trim();
                case ConsoleKey.Escape:
                    return null;
                case ConsoleKey.Backspace when line.Length > 0:
                    line.Length--;
                    screen.Echo("\b \b");
                    break;
                default:
                    if (!char.IsControl(key.KeyChar))
                    {
                        line.Append(key.KeyChar);
                        screen.Echo(key.KeyChar.ToString());
                    }
                    break;
            }
        }
        return null;
    }

    private async Task DecideAsync(WaitingCall call, string? line, CancellationToken token)
    {
        // Decided elsewhere, or the job has ended.
        if (!ReferenceEquals(approvals.First, call) || token.IsCancellationRequested)
            return;
        switch (line?.ToLowerInvariant())
        {
            case "y" or "yes":
                approvals.Forget(call);
                await TellAsync(call.Job, new LlmSignal.ApproveToolCall(call.CallId));
                break;
            case "e" or "edit":
                await EditAsync(call, token);
                break;
            case "":
                _asked = null;
                break;
            case null or "n" or "no":
                approvals.Forget(call);
                await TellAsync(call.Job, new LlmSignal.DenyToolCall(call.CallId));
                break;
            default:
                approvals.Forget(call);
                await TellAsync(call.Job, new LlmSignal.DenyToolCall(call.CallId, line));
                break;
        }
    }

    private async Task EditAsync(WaitingCall call, CancellationToken token)
    {
        screen.Hold("  arguments as JSON: ");
        string? text;
        try
        {
            text = await ReadLineAsync(null, () => false, token);
        }
        finally
        {
            screen.Release();
        }
        try
        {
            using JsonDocument arguments = JsonDocument.Parse(text ?? "");
            approvals.Forget(call);
            await TellAsync(call.Job, new LlmSignal.ApproveToolCall(call.CallId, arguments.RootElement.Clone()));
        }
        catch (JsonException e)
        {
            screen.Line($"  that is no JSON: {e.Message}", isDim: false);
            _asked = null;
        }
    }

    private async Task SayAsync(string line)
    {
        if (!line.StartsWith('/'))
        {
            await TellAsync(new LlmSignal.Steer(line));
            return;
        }
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words[0] != "/limit")
            screen.Line($"  {Help}", isDim: false);
        else if (AgentLimitWords.Read(words[1..], out LlmLimits limits, out string fault))
            await TellAsync(new LlmSignal.ChangeLimits(limits));
        else
            screen.Line($"  {fault}", isDim: false);
    }

    private Task TellAsync(LlmSignal signal) => TellAsync(job.Id, signal);

    private async Task TellAsync(JobId to, LlmSignal signal)
    {
        SignalResult result = await AgentSignals.SendAsync(orchestrator, to, signal);
        if (result is not (SignalResult.Accepted or SignalResult.JobEnded))
            screen.Line($"  that was not taken: {result}", isDim: false);
    }
}
