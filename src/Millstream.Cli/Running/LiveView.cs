using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Millstream.Cli.Running;

/// <summary>For a terminal: the tasks with what each does or waits for, what is leased, and a bar; drawn anew ten times a second at most.</summary>
internal sealed class LiveView(RunModel model, Job job, AgentOrchestrator orchestrator, IAnsiConsole console) : IRunView
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        Task reading = ReadAsync(events);
        await console.Live(Render()).AutoClear(false).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
        {
            while (!reading.IsCompleted)
            {
                live.UpdateTarget(Render());
                live.Refresh();
                await Task.WhenAny(reading, Task.Delay(Frame));
            }

            live.UpdateTarget(Render());
            live.Refresh();
        });
        await reading;
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
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
            int height = Math.Max(6, console.Profile.Height - 5);
            TaskLine[] shown = [.. Chosen(height)];
            Table table = new Table().NoBorder().HideHeaders().AddColumns(new TableColumn("").NoWrap(), new TableColumn("").NoWrap(), new TableColumn("").NoWrap(), new TableColumn(""));
            table.Expand = true;
            foreach (TaskLine line in shown)
                table.AddRow(new Markup(Icon(line)), new Text(OutputText.Shortened(line.Id, 24)), new Markup(Progress(line)), new Text(OutputText.Shortened(Detail(line), Math.Max(20, console.Profile.Width - 48))) { Overflow = Overflow.Ellipsis });
            rows.Add(table);
            if (shown.Length < model.Tasks.Count)
                rows.Add(new Markup($"[dim]  … and {model.Tasks.Count - shown.Length} tasks more[/]"));
            rows.Add(new Markup($"[dim]{Markup.Escape(Resources())}[/]"));
            return new Rows(rows);
        }
    }

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
        if (model.Tasks.Count <= height)
            return model.Tasks;
        HashSet<TaskLine> chosen = [.. model.Tasks.OrderBy(t => t.Phase switch
        {
            TaskPhase.Running => 0,
            TaskPhase.Failed => 1,
            TaskPhase.Retrying or TaskPhase.Waiting => 2,
            TaskPhase.Pending => 3,
            _ => 4,
        }).Take(height)];
        return model.Tasks.Where(chosen.Contains);
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
        string took = line.Started is { } from ? OutputText.Elapsed((line.Ended ?? DateTimeOffset.UtcNow) - from) : "";
        string runs = line.IsFanOut && line.Scheduled > 0 ? string.Create(CultureInfo.InvariantCulture, $"{line.Completed + line.Failed}/{line.Scheduled}{(line.Failed > 0 ? $" [red]{line.Failed} failed[/]" : "")} ") : "";
        return $"{runs}[dim]{took}[/]";
    }

    private string Detail(TaskLine line)
    {
        switch (line.Phase)
        {
            case TaskPhase.Pending:
                string[] missing = [.. line.Needs.Where(n => !model.Tasks.First(t => t.Id == n).IsDone)];
                return missing.Length == 0 ? "" : $"needs {string.Join(", ", missing)}";
            case TaskPhase.Failed:
                return line.Error is null ? "failed" : OutputText.Clean(line.Error);
            case TaskPhase.Waiting or TaskPhase.Retrying:
                return job.Tasks.FirstOrDefault(t => t.Id == line.Id || t.Id.StartsWith(line.Id + "[", StringComparison.Ordinal))?.Detail ?? "";
            case TaskPhase.Running:
                return line.LastOutput ?? "";
            default:
                return line.Retries > 0 ? $"after {line.Retries} retries" : "";
        }
    }

    private string Resources() => string.Join(" · ", orchestrator.Resources.GroupBy(r => r.Type).OrderBy(g => g.Key, StringComparer.Ordinal)
        .Select(g => $"{g.Key} {g.Count(r => r.Status == ResourceStatus.Busy)}/{g.Count()} busy"));
}
