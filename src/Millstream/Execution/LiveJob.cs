using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Millstream;

/// <summary>A job that this process runs for a store, whether it is in memory at the moment or waits outside it.</summary>
internal sealed class LiveJob : IJobSource
{
    private readonly DurableJobs _jobs;
    private readonly string? _detail;
    private JobRunner? _runner;

    public LiveJob(DurableJobs jobs, JobRunner runner)
    {
        (_jobs, _runner) = (jobs, runner);
        (Id, AgentId, AgentVersion, Contract) = (runner.Id, runner.AgentId, runner.AgentVersion, runner.Contract);
    }

    /// <summary>One that waits outside memory.</summary>
    public LiveJob(DurableJobs jobs, JobHead head, AgentContract? contract) =>
        (_jobs, _detail, Id, AgentId, AgentVersion, Contract) = (jobs, head.Detail, head.Id, head.AgentId, head.AgentVersion, contract);

    public JobId Id { get; }

    public string AgentId { get; }

    public string AgentVersion { get; }

    public AgentContract? Contract { get; }

    public JobStatus Status => InMemory?.Status ?? (_jobs.IsDormant(Id) ? JobStatus.Waiting : JobStatus.Suspended);

    public Task<JobEnding> Ending => InMemory?.WhenEndedAsync() ?? _jobs.TiesOf(Id)?.WhenEnded() ?? InMemory?.WhenEndedAsync() ?? _jobs.FindSuspended(Id)?.Ending ?? Outside.Run(EndAsync);

    /// <summary>The runner, or null while the job waits outside memory.</summary>
    public JobRunner? InMemory
    {
        get
        {
            JobRunner? known = _runner;
            if (known is { HasLeft: false })
                return known;
            JobRunner? now = _jobs.FindInMemory(Id);
            if (now is not null)
                _runner = now;
            return now;
        }
    }

    private JobTies? LastTies => _runner?.Ties ?? _jobs.TiesOf(Id);

    public IReadOnlyList<AgentTaskInfo> Tasks() => InMemory?.Tasks() ?? [];

    public IReadOnlyList<string> WaitsFor() => InMemory?.WaitsFor() ?? LastTies?.WaitsFor ?? (_detail is null ? [] : [_detail]);

    public IReadOnlyList<OpenQuestion> Questions() => InMemory?.Questions() ?? LastTies?.Questions ?? [];

    public async IAsyncEnumerable<(JournalEntry Entry, long Number)> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        // A reader keeps the job in memory: it wants to see what comes.
        IJobSource source = TryPin() ?? await Outside.Run(() => _jobs.PinAsync(Id));
        try
        {
            await foreach ((JournalEntry, long) entry in source.ReadAsync(from, token))
                yield return entry;
        }
        finally
        {
            (source as JobRunner)?.Unpin();
        }
    }

    public Task<SignalResult> SignalAsync(JsonElement signal, string? id) => DoAsync(job => job.SignalAsync(signal, id));

    public Task<SignalResult> AnswerAsync(string questionId, JsonElement reply) => DoAsync(job => job.AnswerAsync(questionId, reply));

    public Task<SignalResult> CancelAsync(string? reason) => DoAsync(job => job.CancelAsync(reason));

    private Task<SignalResult> DoAsync(Func<IJobSource, Task<SignalResult>> send)
    {
        if (TryPin() is { } runner)
            return Send(runner, send);
        return Outside.Run(async () => await Send(await _jobs.PinAsync(Id), send));
    }

    private static Task<SignalResult> Send(IJobSource source, Func<IJobSource, Task<SignalResult>> send)
    {
        try
        {
            return send(source);
        }
        finally
        {
            (source as JobRunner)?.Unpin();
        }
    }

    private JobRunner? TryPin() => InMemory is { Suspended: null } runner && runner.TryPin() ? runner : null;

    private async Task<JobEnding> EndAsync()
    {
        IJobSource source = await _jobs.PinAsync(Id);
        (source as JobRunner)?.Unpin();
        return await source.Ending;
    }
}
