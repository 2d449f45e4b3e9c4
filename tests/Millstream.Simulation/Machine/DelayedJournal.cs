namespace Millstream.Simulation;

/// <summary>
/// One job's journal in a simulated store: an append gets its numbers at once and becomes durable when the store has written it. It
/// remembers all it was given and how it was cut into appends, for the checks.
/// </summary>
internal sealed class DelayedJournal(StoreModel store, SimulationExecutor executor, SimulationTime time, Action<JournalEntry> added) : JobJournal(executor, new SteadyClock(time)), IJournalView
{
    private int _batch;
    private int _waiting;

    /// <summary>All entries, durable or not, and the append that each came in.</summary>
    public List<(JournalEntry Entry, int Batch)> Entries { get; } = [];

    public List<long> AddedAt { get; } = [];

    /// <summary>What the store has written, whatever the journal shows.</summary>
    public long Written { get; private set; }

    /// <summary>Whether all is written, and all who wait for that know.</summary>
    public bool IsSettled => _waiting == 0;

    /// <summary>The store has written this far.</summary>
    public void Write(long upTo)
    {
        Written = upTo;
        Publish(upTo);
        Wake();
    }

    /// <summary>The store tells who waited.</summary>
    public void Told(IDurable? whenDurable)
    {
        _waiting--;
        whenDurable?.Durable();
    }

    protected override void Added(JournalEntry entry)
    {
        Entries.Add((entry, _batch));
        AddedAt.Add(time.Now);
        added(entry);
    }

    protected override bool Commit(long upTo, IDurable? whenDurable)
    {
        _batch++;
        if (store.Append(this, upTo, whenDurable))
        {
            Written = upTo;
            Publish(upTo);
            return true;
        }
        _waiting++;
        return false;
    }
}
