using System.Runtime.CompilerServices;

namespace Millstream;

/// <summary>Reads a job's records one after another, each checked against the one before it.</summary>
internal sealed class RecordReader(IJournalStorage storage, JobId job)
{
    private Chain? _chain = Chain.Start(job);
    private long _next = 1;

    /// <summary>The number of the last entry that was read, 0 for none.</summary>
    public long Last => _next - 1;

    /// <summary>The chain after it.</summary>
    public Chain Chain => _chain ?? throw new InvalidOperationException("nothing was read");

    /// <summary>How many bytes were read, with what lies beside the records.</summary>
    public long Bytes { get; private set; }

    /// <summary>The entries of the record that holds a number, and of those after it. Going on where the last call ended reads nothing twice.</summary>
    /// <param name="from">The number.</param>
    /// <param name="token">Stops reading.</param>
    /// <exception cref="JournalDamagedException">A record is not what was written, or one is missing.</exception>
    public async IAsyncEnumerable<List<JournalEntry>> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token = default)
    {
        if ((from != _next || _chain is null) && !await BeginAsync(from, token))
            yield break;
        await foreach (JournalRecord record in storage.ReadAsync(job, _next, token))
        {
            if (_chain is null)
            {
                // The record before the first that is wanted, or the end of a longer one.
                (_next, _chain) = (record.First + record.Count, EntryReader.ChainOf(job, record));
                continue;
            }
            if (record.First != _next)
                throw new JournalDamagedException(job, record.First, $"should be at {_next}");
            Beside? beside = await Beside.LoadAsync(storage, job, record, token);
            List<JournalEntry> entries = EntryReader.Read(job, record, Chain, out Chain after, beside);
            (_next, _chain, Bytes) = (_next + record.Count, after, Bytes + record.Bytes.Length + (beside?.Size ?? 0));
            yield return entries;
        }
    }

    private async Task<bool> BeginAsync(long from, CancellationToken token)
    {
        (_next, _chain) = (1, Chain.Start(job));
        if (from == 1)
            return true;
        await foreach (JournalRecord record in storage.ReadAsync(job, from, token))
        {
            if (record.First > 1)
                (_next, _chain) = (record.First - 1, null);
            return true;
        }
        return false;
    }
}
