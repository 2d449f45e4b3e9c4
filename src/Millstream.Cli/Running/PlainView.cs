using System.Text;

namespace Millstream.Cli.Running;

/// <summary>For pipes and logs: progress as lines to stderr, the output to stdout.</summary>
internal sealed class PlainView(RunModel model, TextWriter output, TextWriter error) : IRunView
{
    private const int LinesOfTask = 6;

    private readonly Dictionary<string, int> _shown = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StringBuilder> _partial = new(StringComparer.Ordinal);

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            model.Add(e);
            if (e.Value is WorkflowEvent said && !e.Job.IsChild)
                Say(said, e);
            else if (model.LineOf(e) is { } line)
                Say(line, e);
            else if (e.Kind == JobEventKinds.JobCancelling)
                Line(e, "cancelling");
        }
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        string took = $"{model.Done} of {model.Tasks.Count} tasks, {OutputText.Elapsed(elapsed)}";
        switch (ending)
        {
            case JobEnding.Completed completed:
                error.WriteLine($"completed: {took}");
                if (OutputText.ForPrograms((System.Text.Json.JsonElement)completed.Output!) is { } text)
                    output.WriteLine(text.EndsWith('\n') ? text[..^1] : text);
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

    private void Say(WorkflowEvent said, JobEvent e)
    {
        switch (said)
        {
            case WorkflowEvent.TaskEnded ended:
                TaskLine line = model.Tasks.First(t => t.Id == ended.Task);
                FlushPartial(line);
                string runs = line is { IsFanOut: true } ? $", {line.Completed} of {line.Scheduled} completed" : "";
                string took = line.Started is { } from ? $" in {OutputText.Elapsed(e.Time - from)}" : "";
                Line(e, $"{ended.Task} {ended.Status.ToString().ToLowerInvariant()}{took}{runs} [{ended.Done}/{ended.Total}]");
                break;
            case WorkflowEvent.DecisionNeeded decision:
                Line(e, $"{decision.Task} failed and waits for a signal to retry or skip it: {OutputText.Clean(decision.Error)}");
                break;
            default:
                Line(e, said.ToString()!);
                break;
        }
    }

    private void Say(TaskLine line, JobEvent e)
    {
        switch (e.Kind)
        {
            case JobEventKinds.TaskStarted when !line.IsFanOut || line.Scheduled == 1:
                Line(e, $"{e.Task} started{(e.Attempt > 1 ? $" (attempt {e.Attempt})" : "")}");
                break;
            case JobEventKinds.TaskRetried:
                Line(e, $"{e.Task} failed and is tried again: {OutputText.CleanLines(e.Error!.Message)}");
                break;
            case JobEventKinds.TaskFailed:
                Line(e, $"{e.Task} failed: {OutputText.CleanLines(e.Error!.Message)}");
                break;
            case JobEventKinds.TaskDelta when !line.IsFanOut:
                Output(line, Encoding.UTF8.GetString(e.Bytes.Span));
                break;
        }
    }

    private void Output(TaskLine line, string text)
    {
        if (!_partial.TryGetValue(line.Id, out StringBuilder? partial))
            _partial[line.Id] = partial = new StringBuilder();
        foreach (string part in text.Split('\n')[..^1])
        {
            OutputLine(line, partial.Append(part).ToString());
            partial.Clear();
        }

        if (partial.Length < 4096)
            partial.Append(text[(text.LastIndexOf('\n') + 1)..]);
    }

    private void FlushPartial(TaskLine line)
    {
        if (_partial.Remove(line.Id, out StringBuilder? partial) && partial.Length > 0)
            OutputLine(line, partial.ToString());
    }

    private void OutputLine(TaskLine line, string text)
    {
        int shown = _shown[line.Id] = _shown.GetValueOrDefault(line.Id) + 1;
        if (shown <= LinesOfTask)
            error.WriteLine($"  {line.Id} | {OutputText.Clean(text)}");
        else if (shown == LinesOfTask + 1)
            error.WriteLine($"  {line.Id} | … (more; --json shows all)");
    }

    private void Line(JobEvent e, string text) => error.WriteLine($"{e.Time.ToLocalTime():HH:mm:ss} {text}");
}
