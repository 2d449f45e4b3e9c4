namespace Millstream;

/// <summary>
/// Where the journals of jobs are kept. A store knows bytes, their order and who may write; what is in them is the runtime's. All methods may
/// be called from any thread and by several processes on one store.
/// </summary>
/// <remarks>
/// A process that executes jobs is a <b>runner</b> with a number that no earlier one had. A job belongs to one runner at a time: claiming it
/// raises the job's epoch, and an append under an older epoch is refused, so that a runner that lost a job never writes to it again.
/// </remarks>
public interface IJournalStorage : IAsyncDisposable
{
    /// <summary>Where the store is, for people: a path, a server without its password.</summary>
    string Location { get; }

    /// <summary>Makes this process a runner and keeps it alive until the store is disposed.</summary>
    /// <returns>Its number, above 0 and above all that were given before.</returns>
    Task<long> OpenRunnerAsync(CancellationToken token = default);

    /// <summary>
    /// Appends records to jobs, all in one transaction that is durable when this is done. Each is accepted or refused by itself; a refused one changes
    /// nothing and does not keep the others from being accepted. A job comes at most once in a batch.
    /// </summary>
    /// <returns>What became of each, in the order of the batch.</returns>
    /// <exception cref="JournalStorageException">Nothing of the batch is known to be stored.</exception>
    /// <exception cref="ArgumentException">The batch is wrong in itself, whatever the store holds; nothing of it is stored.</exception>
    Task<AppendResult[]> AppendAsync(IReadOnlyList<JobAppend> batch, CancellationToken token = default);

    /// <summary>The records of a job from the one that holds a number on, in order. Empty where the job is unknown.</summary>
    IAsyncEnumerable<JournalRecord> ReadAsync(JobId job, long from, CancellationToken token = default);

    /// <summary>What lies beside a job's records under a hash, as it was appended; null where the job is unknown or has nothing under it.</summary>
    Task<ReadOnlyMemory<byte>?> ReadBlobAsync(JobId job, string hash, CancellationToken token = default);

    /// <summary>The job's head, or null where it is unknown.</summary>
    Task<JobHead?> FindAsync(JobId job, CancellationToken token = default);

    /// <summary>The heads that fit, in the order in which the store got their jobs.</summary>
    IAsyncEnumerable<JobHead> ListAsync(JobHeadFilter filter, CancellationToken token = default);

    /// <summary>
    /// Takes over open jobs that no living runner has; each gets this runner and the next epoch, and one that a dead runner had gets one more restart.
    /// </summary>
    /// <param name="runner">The claiming runner; this store object must have opened it.</param>
    /// <param name="job">Only this job; null for all.</param>
    /// <param name="token">Stops claiming.</param>
    /// <returns>Their new heads.</returns>
    Task<IReadOnlyList<JobHead>> ClaimAsync(long runner, JobId? job = null, CancellationToken token = default);

    /// <summary>The runners that live, of those that have open jobs: a job of another one goes on when somebody claims it.</summary>
    Task<IReadOnlySet<long>> ReadLivingRunnersAsync(CancellationToken token = default);

    /// <summary>Puts something into a job's inbox. Durable when this is done.</summary>
    Task<OfferResult> OfferAsync(JobId job, InboxItem item, CancellationToken token = default);

    /// <summary>What lies in the inboxes of the jobs of a runner, oldest first.</summary>
    Task<IReadOnlyList<InboxEntry>> ReadInboxAsync(long runner, CancellationToken token = default);

    /// <summary>Removes a job with all its records, what lies beside them, and its inbox. False where it is unknown or open.</summary>
    Task<bool> RemoveAsync(JobId job, CancellationToken token = default);

    /// <summary>Done when something may have been changed by another process since the last call, or after a time that the store finds right.</summary>
    Task WaitForChangeAsync(CancellationToken token = default);
}

/// <summary>A row of the journal: some entries in one piece.</summary>
/// <param name="First">The number of its first entry.</param>
/// <param name="Count">How many entries it holds, 1 or more; 0 only in an append that changes nothing but the head.</param>
/// <param name="Bytes">The entries.</param>
public readonly record struct JournalRecord(long First, int Count, ReadOnlyMemory<byte> Bytes);

/// <summary>A payload that lies beside the records of a job, which name it by its hash. It belongs to the job and is removed with it.</summary>
/// <param name="Hash">SHA-256 of the bytes, in lower-case hexadecimal digits.</param>
/// <param name="Bytes">The payload.</param>
public readonly record struct JournalBlob(string Hash, ReadOnlyMemory<byte> Bytes);

/// <summary>What one job appends.</summary>
public sealed record JobAppend
{
    /// <summary>The job.</summary>
    public required JobId Job { get; init; }

    /// <summary>The epoch under which it is written; 1 creates the job when <see cref="JournalRecord.First"/> is 1.</summary>
    public required long Epoch { get; init; }

    /// <summary>
    /// The record; its first number must be the job's last and one, with a count of 0 as well. A count of 0 appends nothing and changes the head only;
    /// it creates no job.
    /// </summary>
    public required JournalRecord Record { get; init; }

    /// <summary>What lies beside the record, durable with it or not at all. What the job has under the same hash already is not stored again.</summary>
    public IReadOnlyList<JournalBlob> Blobs { get; init; } = [];

    /// <summary>The job's new head; null leaves it as it is. Needed to create a job.</summary>
    public JobHead? Head { get; init; }

    /// <summary>Items of the job's inbox that are in this record and so leave it.</summary>
    public IReadOnlyList<long> Taken { get; init; } = [];
}

/// <summary>What became of an append.</summary>
public enum AppendResult
{
    /// <summary>It is durable.</summary>
    Appended,

    /// <summary>Another runner has the job: its epoch is higher than the append's.</summary>
    Fenced,

    /// <summary>The first number is not the job's next, or a job to be created exists.</summary>
    Conflict,

    /// <summary>There is no such job.</summary>
    UnknownJob,
}

/// <summary>One line about a job: what a list shows, and who has it.</summary>
public sealed record JobHead
{
    /// <summary>The job.</summary>
    public required JobId Id { get; init; }

    /// <summary>Its agent's id.</summary>
    public required string AgentId { get; init; }

    /// <summary>Its agent's version.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>What it is called in lists; null for its agent's id.</summary>
    public string? Name { get; init; }

    /// <summary>What it was doing when the head was written last.</summary>
    public JobStatus Status { get; init; }

    /// <summary>Why it is suspended, or what it waits for; for people.</summary>
    public string? Detail { get; init; }

    /// <summary>Whose job it is.</summary>
    public string Tenant { get; init; } = "default";

    /// <summary>Its priority class.</summary>
    public int Priority { get; init; }

    /// <summary>Its part in the fair share.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>When it was created.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it must have ended.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>When it ended; null while it is open.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>When a timer of it is due next, where it waits for one.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>Whether it waits for nothing but signals, answers, timers and children, so that it needs no memory until one comes.</summary>
    public bool IsIdle { get; init; }

    /// <summary>The number of the newest entry from which a replay can start; 0 where it starts at the beginning.</summary>
    public long Checkpoint { get; init; }

    /// <summary>The runner that has it; 0 for none. The head in an append sets it, so a runner can give a job away.</summary>
    public long Runner { get; init; }

    /// <summary>Rises with each claim, from 1. A store keeps its own value: that of a head in an append is not looked at.</summary>
    public long Epoch { get; init; } = 1;

    /// <summary>How often it was claimed from a dead runner since a head was appended; that head says what is left of it.</summary>
    public int Restarts { get; init; }
}

/// <summary>Which heads to list; what is null does not filter.</summary>
public sealed record JobHeadFilter
{
    /// <summary>Jobs in this status.</summary>
    public JobStatus? Status { get; init; }

    /// <summary>Jobs of this agent.</summary>
    public string? AgentId { get; init; }

    /// <summary>Jobs created at or after this time.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>True for jobs that have ended, false for open ones.</summary>
    public bool? Ended { get; init; }

    /// <summary>Whether jobs that other jobs started are listed, too.</summary>
    public bool Children { get; init; }

    internal bool Fits(JobHead head) =>
        (Status is null || head.Status == Status) && (AgentId is null || head.AgentId == AgentId) && (Since is null || head.Created >= Since)
        && (Ended is null || head.Ended is not null == Ended) && (Children || !head.Id.IsChild);
}

/// <summary>Something for a job from outside its runner.</summary>
/// <param name="Kind">What it is; the runtime's.</param>
/// <param name="SenderId">The sender's own id of it: a second one with the same id is dropped. Null for none.</param>
/// <param name="Payload">What it holds, at most 32 MiB.</param>
public sealed record InboxItem(byte Kind, string? SenderId, ReadOnlyMemory<byte> Payload);

/// <summary>An item that lies in an inbox.</summary>
/// <param name="Job">Whose.</param>
/// <param name="Number">Its number, rising within a job; named when it is taken.</param>
/// <param name="Item">What was offered.</param>
public sealed record InboxEntry(JobId Job, long Number, InboxItem Item);

/// <summary>What became of an offer.</summary>
public enum OfferResult
{
    /// <summary>It is durable.</summary>
    Accepted,

    /// <summary>An item with that sender's id lies in the inbox already.</summary>
    Duplicate,

    /// <summary>The job has ended.</summary>
    JobEnded,

    /// <summary>There is no such job.</summary>
    UnknownJob,
}

/// <summary>A store could not do what was asked: the message says where it is, what happened and what to do.</summary>
public class JournalStorageException(string message, Exception? inner = null) : IOException(message, inner);
