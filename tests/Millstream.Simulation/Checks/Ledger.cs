using Microsoft.Extensions.Logging;

namespace Millstream.Simulation;

/// <summary>What happened outside the journals, checked as it happens.</summary>
internal sealed class Ledger(History history) : ILoggerFactory, ILogger
{
    private readonly Dictionary<JobId, JobRecord> _jobs = [];

    public List<JobRecord> Jobs { get; } = [];

    /// <summary>What each attempt gave, by its value.</summary>
    public Dictionary<int, Attempt> Returned { get; } = [];

    /// <summary>How many attempts are at work.</summary>
    public int Running { get; set; }

    public JobRecord Job(JobId id) => _jobs[id];

    public JobRecord? Find(JobId id) => _jobs.GetValueOrDefault(id);

    /// <summary>A job of a store is there.</summary>
    public void Add(JobRecord job)
    {
        _jobs.Add(job.Id, job);
        Jobs.Add(job);
    }

    /// <summary>The runtime gives a task's attempts up because they do not stop.</summary>
    public void LeftBehind(JobId job, string task, ProcessExecutor? process)
    {
        foreach (Attempt attempt in Job(job).Running)
            attempt.IsLeftBehind |= attempt.TaskId == task && attempt.Process == process;
    }

    /// <summary>A job's journal is made: nothing that causes the job may be uncertain.</summary>
    public JobJournal Created(JobRunner runner, StoreModel store)
    {
        JobRecord? record = null;
        DelayedJournal journal = new(store, history.Executor, history.Time, entry => Added(record!, entry));
        record = new JobRecord(runner.Id, journal) { Runner = runner };
        // Starting a known id makes a runner that is dropped at once.
        if (!_jobs.TryAdd(runner.Id, record))
            return journal;
        Jobs.Add(record);
        if (runner.Parent is { } parent)
        {
            JobRecord above = Job(parent.Id);
            int command = int.Parse(runner.Id.Value.AsSpan(runner.Id.Value.LastIndexOf('/') + 1), provider: null);
            if (!above.IsDurable(above.Commands[command]))
                history.Fail($"child {runner.Id} was started before its command was durable");
        }
        history.Executor.Schedule(() => _ = ((MemoryHistory)history).WatchAsync(record));
        return journal;
    }

    public Attempt Began(TaskAttempt context)
    {
        JobRecord job = Job(context.JobId);
        Attempt attempt = new(history, job, context, context.IdempotencyKey);
        if (!history.Executor.IsHere)
            history.Fail($"{attempt} runs off its thread");
        if (!job.Commands.TryGetValue(attempt.Command, out long command) || !job.IsDurable(command))
            history.Fail($"{attempt} began before its command was durable");
        if (job.Journal.Entries[^1].Entry.IsEnding)
            history.Fail($"{attempt} began after the end of its job", job);
        if (job.Running.Find(a => a.Key == attempt.Key && !a.IsLeftBehind) is { } other)
            history.Fail($"{attempt} began while {other} was at work");
        job.Running.Add(attempt);
        Running++;
        attempt.Use();
        return attempt;
    }

    private void Added(JobRecord job, JournalEntry entry)
    {
        if (entry.IsCommand && entry.Command > 0)
        {
            bool isStop = entry.Kind is EntryKind.TaskStopping or EntryKind.TimerStopping or EntryKind.QuestionWithdrawing or EntryKind.ChildStopping;
            (isStop ? job.Stops : job.Commands).TryAdd(entry.Command, entry.Number);
        }
        if (entry.Kind == EntryKind.JobCancelling)
            job.LeftToCleanUp.UnionWith(job.Runner!.Pending<PendingCommand>().Where(c => c.IsCleanUp).Select(c => c.Number));
        if (entry.IsEnding && job.Running.Find(a => !a.IsLeftBehind) is { } attempt)
            history.Fail($"{job.Id} ended while {attempt} was at work", job);
    }

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    void ILoggerFactory.AddProvider(ILoggerProvider provider)
    {
    }

    void IDisposable.Dispose()
    {
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    // The runtime says here that it gives an attempt up.
    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id != 1 || state is not IReadOnlyList<KeyValuePair<string, object?>> fields)
            return;
        LeftBehind((JobId)fields[1].Value!, (string)fields[0].Value!, null);
    }
}
