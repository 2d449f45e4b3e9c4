using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>One run of an agent in a contract test.</summary>
internal sealed class ContractRun<TInput, TOutput, TEvent, TSignal>(Func<Agent<TInput, TOutput, TEvent, TSignal>> make, TInput input, AgentContractOptions options, JobId id)
{
    private readonly IChatClient? _model = options.Model?.Invoke();

    /// <summary>The stream of the last run.</summary>
    public List<JobEvent> Stream { get; private set; } = [];

    /// <summary>How often the store was written to.</summary>
    public int Appends { get; private set; }

    /// <summary>Runs it to its end.</summary>
    /// <returns>What is wrong.</returns>
    public async Task<List<string>> CompleteAsync()
    {
        await using MemoryJournalStorage journal = new();
        await using FailingStorage counted = new(journal);
        List<string> faults = await LiveAsync(counted, null);
        Appends = counted.Appends;
        return faults;
    }

    /// <summary>Runs it until an entry is there, then cancels it.</summary>
    public async Task<List<string>> CancelAsync(int at)
    {
        List<string> faults = await LiveAsync(null, at);
        JobEvent? cancelling = Stream.Find(e => e.Kind == JobEventKinds.JobCancelling), cancelledAt = Stream.Find(e => e.Seq == at);
        TimeSpan grace = options.Options().GracePeriod;
        if (cancelling is not null && Stream[^1].Time - cancelling.Time >= grace)
            faults.Add($"it ends {(Stream[^1].Time - cancelling.Time).TotalSeconds:0.#} s after the cancel, and the grace period is {grace.TotalSeconds:0.#} s: let OperationCanceledException out, give each task its token, and keep clean-ups short");
        return [.. faults.Select(f => $"cancelled at entry {at} ({cancelledAt?.Kind}{(cancelledAt?.Task is { } task ? " " + task : "")}): {f}")];
    }

    /// <summary>Runs it until its store fails, then goes on with what is stored.</summary>
    public async Task<List<string>> CrashAsync(int at, bool isDone)
    {
        MemoryJournalStorage journal = new();
        FailingStorage failing = new(journal, at, isDone);
        List<string> faults = await LiveAsync(failing, null);
        await journal.DisposeAsync();
        if (failing.HasFailed)
        {
            journal = journal.Reopen();
            faults = await LiveAsync(journal, null);
            if (faults.Count == 0)
                faults = await RepeatedAsync(journal);
            await journal.DisposeAsync();
        }
        return [.. faults.Select(f => $"after a crash {(isDone ? "behind" : "before")} append {at}: {f}")];
    }

    private async Task<List<string>> LiveAsync(IJournalStorage? journal, int? cancelAt)
    {
        TestHost host = new(options.Options() with { Journal = journal }, _model) { Patience = options.Patience };
        List<string> faults = [];
        try
        {
            Job<TOutput, TEvent, TSignal> job = await host.StartAsync(make(), input, new JobOptions { Id = id });
            Task driving = host.DriveAsync(job, async e =>
            {
                if (options.Drive is not null)
                    await options.Drive(e, job);
                if (e.Seq == cancelAt)
                    await job.CancelAsync("the contract test cancels here");
            });
            faults.AddRange(await EndAsync(host, job, isCancelled: cancelAt is not null));
            if (faults.Count == 0)
            {
                await driving;
                Stream = await job.EventsAsync().ToListAsync();
                faults.AddRange(StreamChecks.Faults(job.Id, Stream));
                faults.AddRange(host.Leased());
            }
        }
        catch (Exception e) when (e is JournalStorageException or JobDetachedException || (e is JobSuspendedException && journal is FailingStorage { HasFailed: true }))
        {
            // What the store has goes on in the next run.
            if (journal is not FailingStorage { HasFailed: true })
                throw;
        }
        try
        {
            await host.DisposeAsync();
        }
        catch (ContractException e)
        {
            faults.AddRange(e.Faults);
        }
        return [.. faults.Distinct()];
    }

    /// <summary>Moves the time on until the job has ended; what hangs is told and left behind.</summary>
    private static async Task<List<string>> EndAsync(TestHost host, Job job, bool isCancelled)
    {
        List<string> hanging = [];
        while (true)
        {
            try
            {
                await host.UntilQuietAsync();
                if (job.Status is not (JobStatus.Completed or JobStatus.Failed or JobStatus.Cancelled or JobStatus.Suspended))
                {
                    if (!await host.MoveAsync())
                        return [.. hanging, .. job.WaitsFor.Select(w => $"it does not end and waits for {w}, which {nameof(AgentContractOptions)}.{nameof(AgentContractOptions.Drive)} does not bring")];
                    continue;
                }
            }
            catch (ContractException e)
            {
                bool isFirst = hanging.Count == 0;
                hanging.AddRange(e.Faults.Except(hanging));
                // Only the end of its grace period is left to wait for, and that means something after a cancel only.
                if (!isCancelled || !isFirst || !await host.MoveAsync())
                    return hanging;
                continue;
            }
            try
            {
                JobEnding ending = await job.Ending;
                return ending is JobEnding.Failed failed ? [.. hanging, $"it fails: {failed.Error.Message}"] : hanging;
            }
            catch (JobSuspendedException e)
            {
                return [.. hanging, $"it cannot go on: {e.Message}"];
            }
        }
    }

    private async Task<List<string>> RepeatedAsync(IJournalStorage journal)
    {
        List<string> faults = [];
        foreach ((JobId job, List<JournalEntry> entries) in (await RecordedJob.FromAsync(journal, id)).Journals)
        {
            HashSet<int> finished = [];
            foreach (JournalEntry entry in entries)
            {
                if (entry.Kind == EntryKind.TaskStarted && finished.Contains(entry.Command))
                    faults.Add($"task {entry.Subject} of job {job} had completed and ran again");
                if (entry.Kind == EntryKind.TaskCompleted)
                    finished.Add(entry.Command);
            }
        }
        return faults;
    }
}
