using System.Text.Json;
using Millstream.Cli.Running.Agents;

namespace Millstream.Cli.Running;

/// <summary>For pipes and logs: progress as lines to stderr, the output to stdout.</summary>
/// <param name="model">What is known of the run.</param>
/// <param name="approve">How a waiting call of an agent is allowed from elsewhere, by its job and id; null where nobody can.</param>
/// <param name="output">Where the output goes.</param>
/// <param name="error">Where progress goes.</param>
/// <param name="isTerminal">Whether the output goes to a terminal, which control characters must not reach.</param>
internal sealed class PlainView(RunModel model, Func<JobId, string, string>? approve, TextWriter output, TextWriter error, bool isTerminal) : IRunView
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly TaskOutput _output = new(error);
    private readonly Dictionary<TaskLine, DateTimeOffset> _said = [];
    private readonly HashSet<TaskLine> _begun = [];
    private (TaskLine Line, JobEvent First)? _beginning;

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            SayBeginning(e);
            model.Add(e);
            if (AgentEvents.Of(e) is LlmEvent.ApprovalRequested asked)
                Line(e, $"{model.PathOf(e.Job)}: {AgentEvents.Asked(new WaitingCall(e.Job, asked), approve)}");
            else if (e.Kind == JobEventKinds.JobCancelling)
                Line(e, "cancelling");
            else if (model.LineOf(e) is { } line)
                Say(line, e);
            else if (e.Value is WorkflowEvent said && !e.Job.IsChild)
                Line(e, OutputText.Clean(said.ToString()!));
        }
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        string took = $"{model.Ends}, {OutputText.Elapsed(elapsed)}";
        foreach (string limit in model.NotEnforced)
            error.WriteLine($"not enforced on this host: {limit}");
        switch (ending)
        {
            case JobEnding.Completed completed:
                error.WriteLine($"completed: {took}");
                if (OutputText.ForPrograms((JsonElement)completed.Output!) is { } text)
                    output.WriteLine(isTerminal ? OutputText.CleanLines(text.TrimEnd('\n')) : text.EndsWith('\n') ? text[..^1] : text);
                break;
            case JobEnding.Failed failed:
                error.WriteLine($"failed: {took}");
                error.WriteLine(RunFailure.Say(failed.Error));
                break;
            case JobEnding.Cancelled cancelled:
                error.WriteLine($"cancelled{(cancelled.Reason is null ? "" : $" ({cancelled.Reason})")}: {took}");
                break;
        }
    }

    private void Say(TaskLine line, JobEvent e)
    {
        string path = model.PathOf(e)!;
        switch (e.Kind)
        {
            case JobEventKinds.Event when e.Value is WorkflowEvent.DecisionNeeded decision:
                Line(e, $"{path} failed and waits for a signal to retry or skip it: {OutputText.CleanLines(decision.Error)}");
                break;
            case JobEventKinds.Event when line.Parent is { IsFanOut: true }:
                if (e.Value is WorkflowEvent.TaskEnded { Error: { } untold })
                    Line(e, $"{path} failed: {OutputText.CleanLines(untold)}");
                break;
            case JobEventKinds.Event when e.Value is WorkflowEvent.TaskEnded ended:
                string runs = line.IsFanOut && line.Scheduled > 0 ? $", {line.Completed} of {line.Scheduled} completed" : "";
                string took = OutputText.Took(line, e.Time);
                string note = line.Note is { } text ? $", {text}" : "";
                Line(e, $"{path} {(line.IsStopped ? "stopped" : ended.Status.ToString().ToLowerInvariant())}{took}{runs}{note} [{ended.Done}/{ended.Total}]{(ended.Error is { } why ? $": {OutputText.CleanLines(why)}" : "")}");
                break;
            case JobEventKinds.TaskStarted or JobEventKinds.ChildStarted when line.IsFanOut:
                if (line.Parent is not { IsFanOut: true } && _begun.Add(line))
                    _beginning = (line, e);
                break;
            case JobEventKinds.TaskStarted or JobEventKinds.ChildStarted:
                Line(e, $"{path} started{(e.Attempt > 1 ? $" (attempt {e.Attempt})" : "")}");
                break;
            case JobEventKinds.TaskInDoubt:
                Line(e, $"{path} may have run (attempt {e.Attempt}) and must not be repeated: look what it did, then answer question {e.Question} of job {e.Job} (millstream answer)");
                break;
            case JobEventKinds.TaskRetried:
                _output.Flush(line);
                Line(e, $"{path} failed and is tried again: {OutputText.CleanLines(e.Error!.Message)}");
                break;
            case JobEventKinds.TaskWaiting:
                _output.Flush(line);
                Line(e, $"{path} waits for {e.Data}");
                break;
            case JobEventKinds.TaskFailed or JobEventKinds.ChildFailed:
                _output.Flush(line);
                Line(e, $"{path} failed: {OutputText.CleanLines(e.Error!.Message)}");
                break;
            case JobEventKinds.TaskCompleted:
                _output.Flush(line);
                SayProgress(line, e);
                break;
            case JobEventKinds.TaskDelta when !line.IsFanOut:
                _output.Add(line, e);
                break;
            case JobEventKinds.Superseded:
                _output.StartAgain(line);
                break;
        }
    }

    // Children start one after the other, and only when the last has started is it known how many there are.
    private void SayBeginning(JobEvent next)
    {
        if (_beginning is not ({ } line, { } first) || (next.Kind == JobEventKinds.ChildStarted && model.LineOf(next) == line))
            return;
        _beginning = null;
        string atOnce = line.MaxParallel <= line.Scheduled ? " at once" : "";
        Line(first, $"{line.Id} started, {(line.Scheduled == 1 ? "1 run" : $"{line.Scheduled} runs")}{atOnce}");
    }

    // A log of a long fan-out says now and then how far it is.
    private void SayProgress(TaskLine line, JobEvent e)
    {
        if (!line.IsFanOut || e.Time - _said.GetValueOrDefault(line, line.Started!.Value) < Quiet)
            return;
        _said[line] = e.Time;
        Line(e, $"{line.Id}: {line.Completed + line.Failed} of {line.Scheduled} done{(line.Failed > 0 ? $", {line.Failed} failed" : "")}");
    }

    private void Line(JobEvent e, string text) => error.WriteLine($"{e.Time.ToLocalTime():HH:mm:ss} {text}");
}
