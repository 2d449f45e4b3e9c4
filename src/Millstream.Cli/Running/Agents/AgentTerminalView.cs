using System.Text;
using System.Text.Json;

namespace Millstream.Cli.Running.Agents;

/// <summary>For a terminal: text and thoughts stream, each tool call is one line that says how it went, approvals are asked, totals end it.</summary>
/// <param name="screen">Where it is shown.</param>
/// <param name="approvals">Calls that wait for the user; null where nobody is asked here.</param>
/// <param name="approve">How a waiting call is allowed from elsewhere, by its job and id; null where that is not to be told.</param>
internal sealed class AgentTerminalView(AgentScreen screen, AgentApprovals? approvals, Func<JobId, string, string>? approve) : AgentView
{
    private const int Width = 100;

    private readonly Dictionary<string, Decoder> _decoders = [];
    private readonly Dictionary<string, DateTimeOffset> _begun = [];
    private string? _answer;

    public override Task LeaveAsync()
    {
        screen.Break();
        return Task.CompletedTask;
    }

    protected override void Show(JobEvent e)
    {
        switch (e.Kind)
        {
            case JobEventKinds.TaskDelta when e is { Task: "model", Job.IsChild: false, Stream: "text" or "reasoning" }:
                screen.Stream(e.Stream!, Decoded(e));
                break;
            case JobEventKinds.Superseded when e is { Task: "model", Job.IsChild: false }:
                _decoders.Clear();
                screen.Line("(that broke off; it begins again)");
                break;
            case JobEventKinds.TaskRetried:
                screen.Line($"  {e.Task}: {OutputText.Shortened(OutputText.Clean(e.Error!.Message.ReplaceLineEndings(" ")), 3 * Width)}; it is tried again");
                break;
            case JobEventKinds.TaskWaiting:
                screen.Line($"  {e.Task} waits for {e.Data}");
                break;
            case JobEventKinds.JobCancelling:
                screen.Line("cancelling");
                break;
        }
    }

    protected override bool Show(JobEvent e, LlmEvent said)
    {
        switch (said)
        {
            case LlmEvent.ToolCallRequested { Call: var call }:
                _begun[call.CallId] = e.Time;
                Line(e, $"→ {OutputText.Clean(call.Name)} {AgentEvents.Brief(call.Arguments, Width)}".TrimEnd());
                return true;
            case LlmEvent.ToolCallCompleted completed:
                Line(e, $"✓ {completed.Name}{Took(e, completed.Result.CallId)}  {AgentEvents.FirstLine(completed.Result.Result?.ToString() ?? "", Width)}".TrimEnd());
                return true;
            case LlmEvent.ToolCallFailed failed:
                Line(e, $"✗ {OutputText.Clean(failed.Name)}{Took(e, failed.CallId)}  {AgentEvents.FirstLine(failed.Error, Width)}");
                return true;
            case LlmEvent.ApprovalRequested asked:
                screen.Line($"{Who(e, "  ", ": ")}? {AgentEvents.Asked(new WaitingCall(e.Job, asked), approve)}", isDim: false);
                return true;
            case LlmEvent.LimitReached { Action: LimitAction.Ask } limit:
                screen.Line($"{Who(e, "  ", ": ")}{AgentEvents.InWords(limit)}; type /limit {limit.Limit}=N to go on", isDim: false);
                return true;
            case LlmEvent.PlanMade plan:
                Line(e, $"a plan:\n{OutputText.CleanLines(plan.Plan)}");
                return true;
            case LlmEvent.TurnCompleted:
                _decoders.Clear();
                screen.Break();
                return true;
            case LlmEvent.Answer answer when !e.Job.IsChild:
                _answer = answer.Text;
                return true;
            default:
                return false;
        }
    }

    // The user is asked about what stands there.
    protected override void Shown(JobEvent e, LlmEvent? said) => approvals?.Add(e, said);

    protected override void Line(JobEvent e, string text) => screen.Line($"{Who(e, "  ", ": ")}{text}");

    protected override void Say(string text) => screen.Line(text);

    protected override void Answer(JsonElement output, string totals)
    {
        // Text was streamed as it came; a value, or what was not streamed, stands here.
        if (OutputText.ForPeople(output) is { } text && text != _answer)
            screen.Line($"\n{OutputText.CleanLines(text)}", isDim: false);
        screen.Line($"\n{totals}");
    }

    private string Took(JobEvent e, string call) => _begun.Remove(call, out DateTimeOffset from) ? $" {OutputText.Elapsed(e.Time - from)}" : "";

    // A character may be cut in two by the end of a chunk.
    private string Decoded(JobEvent e)
    {
        if (!_decoders.TryGetValue(e.Stream!, out Decoder? decoder))
            _decoders[e.Stream!] = decoder = Encoding.UTF8.GetDecoder();
        char[] text = new char[Encoding.UTF8.GetMaxCharCount(e.Bytes.Length)];
        return new string(text, 0, decoder.GetChars(e.Bytes.Span, text, flush: false));
    }
}
