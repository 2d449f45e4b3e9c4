using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Millstream.Cli.Running;
using Millstream.Cli.Running.Agents;
using Millstream.Definitions;
using Spectre.Console;

namespace Millstream.Cli.Jobs;

/// <summary>What the process is to the jobs that it shows, and so what a signal to it does.</summary>
internal enum ShowMode
{
    /// <summary>It runs the one job: an interrupt cancels it.</summary>
    Runs,

    /// <summary>It runs several: every signal stops it, and none cancels.</summary>
    RunsSeveral,

    /// <summary>It only looks: every signal ends the looking.</summary>
    Watches,
}

/// <summary>One job to be shown.</summary>
/// <param name="Job">The job.</param>
/// <param name="Workflow">Its workflow; null for a job of another agent.</param>
/// <param name="From">The first number of its stream that is wanted.</param>
internal sealed record ShownJob(Job Job, WorkflowDefinition? Workflow, long From = 1)
{
    /// <summary>What an agent file's job was started with.</summary>
    public LlmSpecInput? Agent { get; init; }
}

/// <summary>Shows jobs until they end, a signal comes, or whoever reads is gone.</summary>
/// <param name="orchestrator">What they were got from.</param>
/// <param name="journal">Where they are kept; null for memory.</param>
/// <param name="mode">What signals do.</param>
/// <param name="json">One JSON object a line instead of a view for people.</param>
/// <param name="verbose">Whether it is shown where in the program an error arose.</param>
internal sealed class JobShow(AgentOrchestrator orchestrator, IJournalStorage? journal, ShowMode mode, bool json, bool verbose)
{
    private readonly Dictionary<Job, (IRunView View, RunModel? Model)> _views = [];
    private AgentKeyboard? _keyboard;

    /// <returns>The exit code.</returns>
    public async Task<int> UntilEndAsync(params IReadOnlyList<ShownJob> jobs)
    {
        foreach (ShownJob job in jobs)
            _views[job.Job] = json ? (new JsonView(Console.OpenStandardOutput()), null) : ViewOf(job, jobs.Count > 1);
        bool isLive = _views.Values.Any(v => v.View is LiveView or AgentTerminalView);
        using RunSignals signals = new(mode == ShowMode.Runs ? jobs[0].Job : null, LeaveAsync, isLive ? null : Console.Error);
        Task gone = ReaderWatch.AllGoneAsync(json ? [1] : [1, 2]);
        DateTimeOffset from = DateTimeOffset.UtcNow;
        // On another thread: a reader that stops reading blocks a write, and signals must be heard all the same.
        using CancellationTokenSource typing = new();
        Task typed = _keyboard is { } keyboard ? Task.Run(() => keyboard.ReadAsync(typing.Token)) : Task.CompletedTask;
        Task showing = Task.Run(() => json ? new JsonView(Console.OpenStandardOutput()).ShowAsync(Merge([.. jobs.Select(EventsOf)])) : Task.WhenAll(jobs.Select(ShowAsync)));
        await Task.WhenAny(showing, signals.Stopped, gone);
        await typing.CancelAsync();
        await typed;
        if (signals.Stopped.IsCompleted && !showing.IsCompleted)
            return await StoppedAsync(jobs, signals);
        if (!showing.IsCompleted || showing.Exception?.InnerException is IOException and not JournalStorageException or UnauthorizedAccessException)
            return await UnreadAsync(jobs, showing.Exception?.InnerException);
        await showing;
        int code = ExitCode.Completed;
        foreach (ShownJob job in jobs)
            code = Worse(code, await EndAsync(job, DateTimeOffset.UtcNow - from));
        return code;

        Task ShowAsync(ShownJob job) => _views[job.Job].View.ShowAsync(EventsOf(job));
    }

    private IAsyncEnumerable<JobEvent> EventsOf(ShownJob job)
    {
        IAsyncEnumerable<JobEvent> events = FileWorkflowEvent.ShowAsync(job.Job.EventsAsync(job.From));
        // In memory nobody else can allow a call, and a job must not wait for nothing.
        return journal is null && _keyboard is null ? DenyAsync(events) : events;
    }

    private async IAsyncEnumerable<JobEvent> DenyAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            yield return e;
            if (AgentEvents.Of(e) is LlmEvent.ApprovalRequested asked)
                await AgentSignals.SendAsync(orchestrator, e.Job, new LlmSignal.DenyToolCall(asked.Request.RequestId, "nobody is there to allow it"));
        }
    }

    private (IRunView, RunModel?) ViewOf(ShownJob shown, bool isOneOfMany)
    {
        TextWriter error = isOneOfMany ? new PrefixWriter($"{shown.Job.Id} ", Console.Error) : Console.Error;
        if (shown.Agent is not null)
            return (AgentViewOf(shown, isOneOfMany, error), null);
        if (shown.Workflow is not { } workflow)
            return (new AnyJobView(Console.Out, error), null);
        RunModel model = new(workflow);
        return (!isOneOfMany && IsForPeople() ? new LiveView(model, shown.Job, orchestrator, AnsiConsole.Console, Approve)
            : new PlainView(model, Approve, Console.Out, error, !Console.IsOutputRedirected), model);
    }

    private IRunView AgentViewOf(ShownJob shown, bool isOneOfMany, TextWriter error)
    {
        if (isOneOfMany || !IsForPeople())
            return new AgentPlainView(Approve, Console.Out, error, !Console.IsOutputRedirected);
        AgentScreen screen = new(Console.Out);
        if (mode != ShowMode.Runs || Console.IsInputRedirected)
            return new AgentTerminalView(screen, null, Approve);
        AgentApprovals approvals = new();
        _keyboard = new AgentKeyboard(shown.Job, orchestrator, screen, approvals);
        screen.Line(AgentKeyboard.Help);
        return new AgentTerminalView(screen, approvals, null);
    }

    /// <summary>How a waiting call is allowed from elsewhere; null for jobs in memory, where nobody can.</summary>
    private Func<JobId, string, string>? Approve => journal is null ? null : (job, call) => AgentSignals.ApproveCommand(job, call, journal);

    private Task LeaveAsync() => Task.WhenAll(_views.Values.Select(v => v.View.LeaveAsync()));

    private async Task<int> StoppedAsync(IReadOnlyList<ShownJob> jobs, RunSignals signals)
    {
        await RunSignals.TryAsync(LeaveAsync);
        if (mode == ShowMode.Watches)
            return signals.IsInterrupted ? ExitCode.Completed : ExitCode.Stopped;
        await RunSignals.TryWriteAsync(Console.Error, journal is null
            ? "millstream: stopped; the job was not cancelled, and a job in memory ends with its process"
            : $"millstream: stopped; nothing was cancelled, and 'millstream resume{(jobs.Count == 1 ? $" {jobs[0].Job.Id}" : "")}{JournalPlace.Argument(journal)}' goes on");
        return ExitCode.Stopped;
    }

    private async Task<int> UnreadAsync(IReadOnlyList<ShownJob> jobs, Exception? error)
    {
        if (mode == ShowMode.Watches)
            return ExitCode.Completed;
        // Nobody would hear how it ends.
        if (mode == ShowMode.Runs)
            await jobs[0].Job.CancelAsync("its reader is gone");
        if (error is not null)
            await RunSignals.TryWriteAsync(Console.Error, $"millstream: {(mode == ShowMode.Runs ? "cancelled" : "stopped")}, since what it prints could not be written: {Reason(error)}");
        return ExitCode.Failed;
    }

    private async Task<int> EndAsync(ShownJob shown, TimeSpan took)
    {
        JobEnding ending;
        try
        {
            ending = await shown.Job.Ending;
        }
        catch (Exception e) when (e is JobSuspendedException or JobDetachedException)
        {
            Console.Error.WriteLine(OutputText.CleanLines($"millstream: {e.Message}"));
            return ExitCode.Failed;
        }

        (IRunView view, RunModel? model) = _views[shown.Job];
        if (model is { Started: { } started, Last: { } last })
            took = last.Time - started;
        try
        {
            view.End(ending, took);
            if (verbose && ending is JobEnding.Failed { Error.Details: { } details })
                Console.Error.WriteLine(OutputText.CleanLines(details));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"the output could not be written: {Reason(e)}");
        }

        return ending switch { JobEnding.Completed => ExitCode.Completed, JobEnding.Cancelled => ExitCode.Cancelled, _ => ExitCode.Failed };
    }

    /// <summary>Of several jobs a failed one counts most.</summary>
    private static int Worse(int a, int b) => a == ExitCode.Failed || b == ExitCode.Failed ? ExitCode.Failed : Math.Max(a, b);

    // The runtime takes a closed descriptor for a file that may not be written.
    private static string Reason(Exception e) => e is UnauthorizedAccessException ? "it is closed" : e.Message;

    private static bool IsForPeople() =>
        !Console.IsOutputRedirected && AnsiConsole.Profile is { Width: >= 40, Capabilities: { Ansi: true, Interactive: true } };

    /// <summary>Several streams as they come, so that one writer writes whole lines.</summary>
    private static IAsyncEnumerable<JobEvent> Merge(IAsyncEnumerable<JobEvent>[] streams) => streams is [var only] ? only : MergeAsync(streams);

    private static async IAsyncEnumerable<JobEvent> MergeAsync(IAsyncEnumerable<JobEvent>[] streams, [EnumeratorCancellation] CancellationToken token = default)
    {
        Channel<JobEvent> merged = Channel.CreateBounded<JobEvent>(64);
        Task reading = Task.WhenAll(streams.Select(ReadAsync));
        Task closing = CloseAsync();
        while (await merged.Reader.WaitToReadAsync(token))
        {
            while (merged.Reader.TryRead(out JobEvent? e))
                yield return e;
        }

        await closing;

        async Task ReadAsync(IAsyncEnumerable<JobEvent> stream)
        {
            await foreach (JobEvent e in stream)
                await merged.Writer.WriteAsync(e, token);
        }

        async Task CloseAsync()
        {
            try
            {
                await reading;
            }
            finally
            {
                merged.Writer.Complete();
            }
        }
    }
}
