using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Cli.Running.Agents;

/// <summary>For a terminal: text and thoughts stream, each tool call is one line that says how it went, approvals are asked, totals end it.</summary>
/// <param name="screen">Where it is shown.</param>
/// <param name="approvals">Calls that wait for the user; null where nobody is asked here.</param>
/// <param name="approve">How a waiting call is allowed from elsewhere, by its job and id; null where that is not to be told.</param>
internal sealed class AgentTerminalView(AgentScreen screen, AgentApprovals? approvals, Func<JobId, string, string>? approve) : IRunView
{
    private const int Width = 100;

    private readonly AgentTotals _totals = new();
    private readonly Dictionary<string, Decoder> _decoders = [];
    private readonly Dictionary<string, DateTimeOffset> _begun = [];
    private readonly Dictionary<JobId, string> _children = [];
    private string? _answer;

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            LlmEvent? said = AgentEvents.Of(e);
            _totals.Add(e, said);
            if (said is not null)
                Show(e, said);
            else
                Show(e);
            // After it was shown: the user is asked about what stands there.
            approvals?.Add(e, said);
        }
    }

    public Task LeaveAsync()
    {
        screen.Break();
        return Task.CompletedTask;
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        switch (ending)
        {
            case JobEnding.Completed completed:
                // Text was streamed as it came; a value, or what was not streamed, stands here.
                string? text = OutputText.ForPeople(completed.Output is JsonElement json ? json : JsonSerializer.SerializeToElement(completed.Output));
                if (text is not null && text != _answer)
                    screen.Line($"\n{OutputText.CleanLines(text)}", isDim: false);
                screen.Line($"\ncompleted: {_totals.Say(elapsed)}");
                break;
            case JobEnding.Failed failed:
                screen.Line($"\nfailed: {_totals.Say(elapsed)}");
                Console.Error.WriteLine(RunFailure.Say(failed.Error));
                break;
            case JobEnding.Cancelled cancelled:
                screen.Line($"\ncancelled{(cancelled.Reason is null ? "" : $" ({cancelled.Reason})")}: {_totals.Say(elapsed)}");
                break;
        }

        foreach (string part in _totals.Parts())
            screen.Line(part);
    }

    private void Show(JobEvent e)
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
            case JobEventKinds.ChildStarted when e.Child is { } child:
                _children[child] = e.Task ?? child.Value;
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

    private void Show(JobEvent e, LlmEvent said)
    {
        string who = e.Job.IsChild ? $"  {OutputText.Clean(_children.GetValueOrDefault(e.Job, e.Job.Value))}: " : "";
        switch (said)
        {
            case LlmEvent.ToolCallRequested { Call: var call }:
                _begun[call.CallId] = e.Time;
                screen.Line($"{who}→ {OutputText.Clean(call.Name)} {AgentEvents.Brief(call.Arguments, Width)}".TrimEnd());
                break;
            case LlmEvent.ToolCallCompleted completed:
                screen.Line($"{who}✓ {completed.Name}{Took(e, completed.Result.CallId)}  {AgentEvents.FirstLine(completed.Result.Result?.ToString() ?? "", Width)}".TrimEnd());
                break;
            case LlmEvent.ToolCallFailed failed:
                screen.Line($"{who}✗ {OutputText.Clean(failed.Name)}{Took(e, failed.CallId)}  {AgentEvents.FirstLine(failed.Error, Width)}");
                break;
            case LlmEvent.ApprovalRequested { Request: { ToolCall: FunctionCallContent call } request } asked:
                screen.Line($"{who}? {OutputText.Clean(asked.Why)}", isDim: false);
                screen.Line(AgentEvents.Whole(call), isDim: false);
                if (approve is not null)
                    screen.Line($"  {approve(e.Job, request.RequestId)}");
                break;
            case LlmEvent.Steered steered:
                screen.Line($"{who}you: {AgentEvents.FirstLine(steered.Text, Width)}");
                break;
            case LlmEvent.Interrupted:
                screen.Line($"{who}interrupted; type what it should do instead");
                break;
            case LlmEvent.LimitReached limit:
                screen.Line(FormattableString.Invariant($"{who}the limit {limit.Limit} of {limit.Allowed} is reached ({limit.Used}){(limit.Action == LimitAction.Ask ? $"; type /limit {limit.Limit}=N to go on" : "")}"), isDim: false);
                break;
            case LlmEvent.ContextReduced reduced:
                screen.Line($"{who}the model sees {reduced.Dropped} messages less from here on");
                break;
            case LlmEvent.OutputRejected rejected:
                screen.Line($"{who}to be mended: {AgentEvents.FirstLine(rejected.Reason, Width)}");
                break;
            case LlmEvent.SignalIgnored ignored:
                screen.Line($"{who}{OutputText.Clean(ignored.Signal)} was ignored: {OutputText.Clean(ignored.Reason)}");
                break;
            case LlmEvent.PlanMade plan:
                screen.Line($"{who}a plan:\n{OutputText.CleanLines(plan.Plan)}");
                break;
            case LlmEvent.TurnCompleted:
                _decoders.Clear();
                screen.Break();
                break;
            case LlmEvent.Answer answer when !e.Job.IsChild:
                _answer = answer.Text;
                break;
        }
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
