using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Millstream;

/// <summary>Kinds of what lies in an inbox.</summary>
internal static class InboxKind
{
    public const byte Signal = 1;
    public const byte Cancel = 2;
    public const byte Answer = 3;
}

/// <summary>A job that this process does not run: one of another process, a suspended one, or one that has ended.</summary>
internal sealed class StoredJob(Engine engine, IJournalStorage storage, JobHead found, AgentContract? contract, Action offered) : IJobSource
{
    private JobHead _head = found;
    private Task<JobEnding>? _ending;

    public JobId Id => _head.Id;

    public string AgentId => _head.AgentId;

    public string AgentVersion => _head.AgentVersion;

    /// <summary>As it was last read.</summary>
    public JobStatus Status => _head.Status;

    public JobRunner? InMemory => null;

    public AgentContract? Contract => contract;

    public Task<JobEnding> Ending => _ending ?? Interlocked.CompareExchange(ref _ending, Outside.Run(EndAsync), null) ?? _ending;

    public IReadOnlyList<AgentTaskInfo> Tasks() => [];

    public IReadOnlyList<string> WaitsFor() => _head.Detail is { } detail && _head.Ended is null ? [detail] : [];

    public IReadOnlyList<OpenQuestion> Questions() => [];

    public async IAsyncEnumerable<(JournalEntry Entry, long Number)> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        StoredReader reader = new(storage, Id, contract);
        while (true)
        {
            bool hasEnded = _head.Ended is not null;
            IReadOnlyList<JournalEntry> entries = await reader.ReadAsync(from, token);
            foreach (JournalEntry entry in entries)
            {
                yield return (entry, entry.Number);
                if (entry.IsEnding)
                    yield break;
                from = entry.Payload is TrimmedRange range ? range.To + 1 : entry.Number + 1;
            }
            if (entries.Count > 0)
                continue;
            // Who wants more than there is waits for nothing.
            if (hasEnded)
                yield break;
            await storage.WaitForChangeAsync(token);
            if (await storage.FindAsync(Id, token) is not { } now)
                throw new JournalStorageException($"Job {Id} was removed from {storage.Location}.");
            _head = now;
        }
    }

    public Task<SignalResult> SignalAsync(JsonElement signal, string? id)
    {
        engine.Check("the signal", signal);
        if (contract is not null)
            _ = JobRunner.ReadSignal(AgentId, contract, signal);
        return OfferAsync(InboxKind.Signal, id, signal);
    }

    // Sent again it is a duplicate; another one is not, since the first may not fit.
    public Task<SignalResult> AnswerAsync(string questionId, JsonElement reply)
    {
        engine.Check("the answer", reply);
        string hash = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(reply)).AsSpan(0, 8));
        return OfferAsync(InboxKind.Answer, $"answer:{questionId}:{hash}", JsonSerializer.SerializeToElement(new { question = questionId, reply }));
    }

    public Task<SignalResult> CancelAsync(string? reason)
    {
        JsonElement json = JsonSerializer.SerializeToElement(reason);
        engine.Check("the reason of the cancel", json);
        return OfferAsync(InboxKind.Cancel, null, json);
    }

    private Task<SignalResult> OfferAsync(byte kind, string? id, JsonElement payload) => Outside.Run(async () =>
    {
        OfferResult result = await storage.OfferAsync(Id, new InboxItem(kind, id, JsonSerializer.SerializeToUtf8Bytes(payload)));
        // It may have been taken up by this very process meanwhile, of whose changes the store does not tell.
        offered();
        return result switch
        {
            OfferResult.Accepted => SignalResult.Accepted,
            OfferResult.Duplicate => SignalResult.Duplicate,
            _ => SignalResult.JobEnded,
        };
    });

    private async Task<JobEnding> EndAsync()
    {
        while (true)
        {
            JobHead head = _head = await storage.FindAsync(Id) ?? throw new JournalStorageException($"Job {Id} was removed from {storage.Location}.");
            if (head.Ended is not null)
                return ChildCommand.EndOf(await LastAsync(head), contract?.Output ?? StoredPayload.Type);
            if (head.Status == JobStatus.Suspended)
                throw new JobSuspendedException(Id, head.Detail ?? "it waits to be resumed");
            await storage.WaitForChangeAsync();
        }
    }

    private async Task<JournalEntry> LastAsync(JobHead head)
    {
        JournalEntry? last = null;
        await foreach (List<JournalEntry> entries in new RecordReader(storage, Id).ReadAsync(Math.Max(1, head.Checkpoint)))
            last = entries[^1];
        return last ?? throw new JournalStorageException($"Job {Id} was removed from {storage.Location}.");
    }
}
