using System.Text.Json;

namespace Millstream.Cli.Running.Agents;

/// <summary>For pipes and logs: what an agent does as lines to stderr, its answer to stdout.</summary>
/// <param name="approve">How a waiting call is allowed from elsewhere, by its job and id; null where nobody can.</param>
/// <param name="output">Where the answer goes.</param>
/// <param name="error">Where progress goes.</param>
/// <param name="isTerminal">Whether the answer goes to a terminal, which control characters must not reach.</param>
internal sealed class AgentPlainView(Func<JobId, string, string>? approve, TextWriter output, TextWriter error, bool isTerminal) : IRunView
{
    private const int Width = 160;

    private readonly AgentTotals _totals = new();
    private readonly Dictionary<JobId, string> _children = [];

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            LlmEvent? said = AgentEvents.Of(e);
            _totals.Add(e, said);
            if (said is not null)
                Say(e, said);
            else
                Say(e);
        }
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        string totals = _totals.Say(elapsed);
        switch (ending)
        {
            case JobEnding.Completed completed:
                error.WriteLine($"completed: {totals}");
                if (OutputText.ForPrograms(completed.Output is JsonElement json ? json : JsonSerializer.SerializeToElement(completed.Output)) is { } text)
                    output.WriteLine(isTerminal ? OutputText.CleanLines(text.TrimEnd('\n')) : text.EndsWith('\n') ? text[..^1] : text);
                break;
            case JobEnding.Failed failed:
                error.WriteLine($"failed: {totals}");
                error.WriteLine(RunFailure.Say(failed.Error));
                break;
            case JobEnding.Cancelled cancelled:
                error.WriteLine($"cancelled{(cancelled.Reason is null ? "" : $" ({cancelled.Reason})")}: {totals}");
                break;
        }

        foreach (string part in _totals.Parts())
            error.WriteLine(part);
    }

    private void Say(JobEvent e)
    {
        switch (e.Kind)
        {
            case JobEventKinds.JobCancelling:
                Line(e, "cancelling");
                break;
            case JobEventKinds.ChildStarted when e.Child is { } child:
                _children[child] = e.Task ?? child.Value;
                break;
            case JobEventKinds.TaskRetried:
                Line(e, $"{e.Task}: {OutputText.CleanLines(e.Error!.Message)}; it is tried again");
                break;
            case JobEventKinds.TaskWaiting:
                Line(e, $"{e.Task} waits for {e.Data}");
                break;
        }
    }

    private void Say(JobEvent e, LlmEvent said)
    {
        switch (said)
        {
            case LlmEvent.Thought thought:
                Line(e, $"thinks: {AgentEvents.FirstLine(thought.Text, Width)}");
                break;
            case LlmEvent.Said text:
                Line(e, $"says: {AgentEvents.FirstLine(text.Text, Width)}");
                break;
            case LlmEvent.ToolCallRequested { Call: var call }:
                Line(e, $"calls {OutputText.Clean(call.Name)} {AgentEvents.Brief(call.Arguments, Width)}".TrimEnd());
                break;
            case LlmEvent.ToolCallCompleted completed:
                Line(e, $"{completed.Name} gave {AgentEvents.FirstLine(completed.Result.Result?.ToString() ?? "", Width)}");
                break;
            case LlmEvent.ToolCallFailed failed:
                Line(e, $"{OutputText.Clean(failed.Name)} gave no result: {AgentEvents.FirstLine(failed.Error, Width)}");
                break;
            case LlmEvent.ApprovalRequested asked:
                Line(e, AgentEvents.Asked(new WaitingCall(e.Job, asked), approve));
                break;
            case LlmEvent.Steered steered:
                Line(e, $"you: {AgentEvents.FirstLine(steered.Text, Width)}");
                break;
            case LlmEvent.Interrupted:
                Line(e, "interrupted; it waits for a message");
                break;
            case LlmEvent.LimitReached limit:
                Line(e, FormattableString.Invariant($"the limit {limit.Limit} of {limit.Allowed} is reached ({limit.Used}){(limit.Action == LimitAction.Ask ? "; it waits for other limits" : "")}"));
                break;
            case LlmEvent.ContextReduced reduced:
                Line(e, $"the model sees {reduced.Dropped} messages less from here on");
                break;
            case LlmEvent.OutputRejected rejected:
                Line(e, $"the answer is to be mended: {AgentEvents.FirstLine(rejected.Reason, Width)}");
                break;
            case LlmEvent.SignalIgnored ignored:
                Line(e, $"signal {OutputText.Clean(ignored.Signal)} was ignored: {OutputText.Clean(ignored.Reason)}");
                break;
            case LlmEvent.PlanMade plan:
                Line(e, $"made a plan: {AgentEvents.FirstLine(plan.Plan, Width)}");
                break;
        }
    }

    private void Line(JobEvent e, string text) =>
        error.WriteLine($"{e.Time.ToLocalTime():HH:mm:ss} {(e.Job.IsChild ? $"{OutputText.Clean(_children.GetValueOrDefault(e.Job, e.Job.Value))} " : "")}{text}");
}
