using System.Globalization;
using Millstream.Cli.Running.Agents;
using Millstream.Definitions;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Millstream.Cli.Running;

/// <summary>For a terminal: the tasks with what each does or waits for, what is leased, and a bar; drawn anew ten times a second at most.</summary>
internal sealed class LiveView(RunModel model, Job job, AgentOrchestrator orchestrator, IAnsiConsole console, Func<JobId, string, string>? approve) : IRunView
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource _leaving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        Task reading = ReadAsync(events);
        await console.Live(Render()).AutoClear(false).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
        {
            while (!reading.IsCompleted && !_leaving.Task.IsCompleted)
            {
                live.UpdateTarget(Render());
                live.Refresh();
                await Task.WhenAny(reading, _leaving.Task, Task.Delay(Frame));
            }

            live.UpdateTarget(Render());
            live.Refresh();
        });
        _left.TrySetResult();
        await reading;
    }

    // The display gives the cursor back when it ends.
    public Task LeaveAsync()
    {
        _leaving.TrySetResult();
        return _left.Task;
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        foreach (string limit in model.NotEnforced)
            console.MarkupLine($"[dim]not enforced on this host: {Markup.Escape(limit)}[/]");
        switch (ending)
        {
            case JobEnding.Completed completed:
                console.MarkupLine($"[green]completed[/] in {OutputText.Elapsed(elapsed)}");
                if (OutputText.ForPeople((System.Text.Json.JsonElement)completed.Output!) is { } text)
                    Console.Out.WriteLine($"\n{OutputText.CleanLines(text)}");
                break;
            case JobEnding.Failed failed:
                console.MarkupLine($"[red]failed[/] after {OutputText.Elapsed(elapsed)}");
                Console.Error.WriteLine(RunFailure.Say(failed.Error));
                break;
            case JobEnding.Cancelled:
                console.MarkupLine($"[yellow]cancelled[/] after {OutputText.Elapsed(elapsed)}");
                break;
        }
    }

    private async Task ReadAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            lock (model)
                model.Add(e);
        }
    }

    private IRenderable Render()
    {
        lock (model)
        {
            List<IRenderable> rows = [Header()];
            string[] asked = Asked();
            // Header, what is left out, resources, and a line for the cursor.
            TaskLine[] shown = [.. Chosen(Math.Max(1, console.Profile.Height - 4 - asked.Length))];
            // An explanation looks at the fleet under its lock, so only what is shown is asked for.
            IReadOnlyDictionary<string, AgentTaskInfo> waiting = RunningTasks.FirstOf(job, shown.Where(l => l is { Parent: null, Phase: TaskPhase.Waiting or TaskPhase.Retrying }).Select(l => l.Id));
            string[] names = [.. shown.Select(l => OutputText.Shortened(Name(l), console.Profile.Width / 3))];
            string[] progress = [.. shown.Select(Progress)];
            int nameWidth = names.Max(n => n.Length), progressWidth = progress.Max(p => Markup.Remove(p).Length);
            int left = Math.Max(0, console.Profile.Width - nameWidth - progressWidth - 7);
            for (int i = 0; i < shown.Length; i++)
            {
                string gap = new(' ', progressWidth - Markup.Remove(progress[i]).Length);
                // A detail that is too wide is cut by its cells, of which some characters take two.
                string detail = Markup.Escape(Fitting(Detail(shown[i], waiting), left));
                rows.Add(new Markup($"{Icon(shown[i])} {Markup.Escape(names[i].PadRight(nameWidth))}  {progress[i]}{gap}  {detail}") { Overflow = Overflow.Crop });
            }

            if (shown.Length < model.Lines.Count)
                rows.Add(new Markup($"[dim]  … and {model.Lines.Count - shown.Length} more[/]"));
            rows.Add(new Markup($"[dim]{Markup.Escape(Resources())}[/]"));
            rows.AddRange(asked.Select(line => new Markup($"[yellow]{Markup.Escape(line)}[/]")));
            return new Rows(rows);
        }
    }

    // Where the job is in memory it is denied at once.
    private string[] Asked() => approve is null ? [] : [.. model.Approvals.All.SelectMany(call =>
        $"? {model.PathOf(call.Job)}: {AgentEvents.Asked(call, approve)}".Split('\n'))];

    private Markup Header()
    {
        const int width = 24;
        int done = model.Done, total = model.Tasks.Count;
        int filled = total == 0 ? width : width * done / total;
        string state = model.Last is not null ? "" : model.IsCancelling ? " [yellow]cancelling[/]" : model.IsPaused ? " [yellow]paused[/]" : "";
        string elapsed = model.Started is { } from ? OutputText.Elapsed((model.Last?.Time ?? DateTimeOffset.UtcNow) - from) : "";
        return new Markup($"[bold]{Markup.Escape(model.Name)}[/] [green]{new string('━', filled)}[/][dim]{new string('━', width - filled)}[/] {done}/{total} {elapsed}{state}");
    }

    // What works and what waits before what is over or has yet to come.
    private IEnumerable<TaskLine> Chosen(int height)
    {
        if (model.Lines.Count <= height)
            return model.Lines;
        HashSet<TaskLine> chosen = [.. model.Lines.OrderBy(t => t.Phase switch
        {
            TaskPhase.Running => 0,
            TaskPhase.Failed => 1,
            TaskPhase.Retrying or TaskPhase.Waiting => 2,
            TaskPhase.Pending => 3,
            _ => 4,
        }).Take(height)];
        return model.Lines.Where(chosen.Contains);
    }

    private static string Name(TaskLine line) => new string(' ', 2 * line.Depth) + line.Id[(line.Id.LastIndexOf('/') + 1)..];

    private static string Fitting(string text, int cells)
    {
        if (text.Length > cells)
            text = OutputText.Shortened(text, cells);
        while (text.Length > 0 && new Segment(text).CellCount() > cells)
            text = OutputText.Shortened(text, text.Length - 1);
        return text;
    }

    private static string Icon(TaskLine line) => line.Phase switch
    {
        TaskPhase.Running => "[blue]●[/]",
        TaskPhase.Waiting => "[yellow]○[/]",
        TaskPhase.Retrying => "[yellow]↻[/]",
        TaskPhase.Completed => "[green]✓[/]",
        TaskPhase.Failed => "[red]✗[/]",
        TaskPhase.Skipped => "[dim]–[/]",
        TaskPhase.Cancelled => "[dim]✗[/]",
        _ => "[dim]·[/]",
    };

    private static string Progress(TaskLine line)
    {
        string took = (line.Phase == TaskPhase.Waiting ? line.Asked : line.Started) is { } from ? OutputText.Elapsed((line.Ended ?? DateTimeOffset.UtcNow) - from) : "";
        string runs = line.IsFanOut && line.Scheduled > 0 ? string.Create(CultureInfo.InvariantCulture, $"{line.Completed + line.Failed}/{line.Scheduled}{(line.Failed > 0 ? $" [red]{line.Failed} failed[/]" : "")} ") : "";
        return $"{runs}[dim]{took}[/]";
    }

    private string Detail(TaskLine line, IReadOnlyDictionary<string, AgentTaskInfo> waiting)
    {
        switch (line.Phase)
        {
            case TaskPhase.Pending:
                string[] missing = [.. line.Needs.Where(n => !model.Lines.First(t => t.Id == n).IsDone)];
                return missing.Length == 0 ? "" : $"needs {string.Join(", ", missing.Select(n => n[(n.LastIndexOf('/') + 1)..]))}";
            case TaskPhase.Failed:
                return line.Error is null ? "failed" : OutputText.Clean(line.Error.ReplaceLineEndings(" "));
            case TaskPhase.Waiting or TaskPhase.Retrying:
                return waiting.GetValueOrDefault(line.Id)?.Detail ?? "";
            case TaskPhase.Running:
                return line.LastOutput ?? "";
            default:
                return line.Note
                    ?? (line.Retries > 0 ? $"after {(line.Retries == 1 ? "1 retry" : $"{line.Retries} retries")}"
                    : line.Waited.TotalSeconds > 1 ? $"after {OutputText.Elapsed(line.Waited)} in line" : "");
        }
    }

    private string Resources() => string.Join(" · ", orchestrator.Resources.GroupBy(r => r.Type).OrderBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => $"{g.Key} {g.Count(r => r.Status == ResourceStatus.Busy)}/{g.Count()} busy"));
}
