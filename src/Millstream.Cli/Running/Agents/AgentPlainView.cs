using System.Text.Json;

namespace Millstream.Cli.Running.Agents;

/// <summary>For pipes and logs: what an agent does as lines to stderr, its answer to stdout.</summary>
/// <param name="approve">How a waiting call is allowed from elsewhere, by its job and id; null where nobody can.</param>
/// <param name="output">Where the answer goes.</param>
/// <param name="error">Where progress goes.</param>
/// <param name="isTerminal">Whether the answer goes to a terminal, which control characters must not reach.</param>
internal sealed class AgentPlainView(Func<JobId, string, string>? approve, TextWriter output, TextWriter error, bool isTerminal) : AgentView
{
    private const int Width = 160;

    protected override void Show(JobEvent e)
    {
        switch (e.Kind)
        {
            case JobEventKinds.JobCancelling:
                Line(e, "cancelling");
                break;
            case JobEventKinds.TaskRetried:
                Line(e, $"{e.Task}: {OutputText.CleanLines(e.Error!.Message)}; it is tried again");
                break;
            case JobEventKinds.TaskWaiting:
                Line(e, $"{e.Task} waits for {e.Data}");
                break;
        }
    }

    protected override bool Show(JobEvent e, LlmEvent said)
    {
        string? line = said switch
        {
            LlmEvent.Thought thought => $"thinks: {AgentEvents.FirstLine(thought.Text, Width)}",
            LlmEvent.Said text => $"says: {AgentEvents.FirstLine(text.Text, Width)}",
            LlmEvent.ToolCallRequested { Call: var call } => $"calls {OutputText.Clean(call.Name)} {AgentEvents.Brief(call.Arguments, Width)}".TrimEnd(),
            LlmEvent.ToolCallCompleted completed => $"{completed.Name} gave {AgentEvents.FirstLine(completed.Result.Result?.ToString() ?? "", Width)}",
            LlmEvent.ToolCallFailed failed => $"{OutputText.Clean(failed.Name)} gave no result: {AgentEvents.FirstLine(failed.Error, Width)}",
            LlmEvent.ApprovalRequested asked => AgentEvents.Asked(new WaitingCall(e.Job, asked), approve),
            LlmEvent.PlanMade plan => $"made a plan: {AgentEvents.FirstLine(plan.Plan, Width)}",
            _ => null,
        };
        if (line is not null)
            Line(e, line);
        return line is not null;
    }

    protected override void Line(JobEvent e, string text) => error.WriteLine($"{e.Time.ToLocalTime():HH:mm:ss} {Who(e, "", " ")}{text}");

    protected override void Say(string text) => error.WriteLine(text);

    protected override void Fail(string text) => error.WriteLine(text);

    protected override void Answer(JsonElement answer, string totals)
    {
        Say(totals);
        if (OutputText.ForPrograms(answer) is { } text)
            output.WriteLine(isTerminal ? OutputText.CleanLines(text.TrimEnd('\n')) : text.EndsWith('\n') ? text[..^1] : text);
    }
}
