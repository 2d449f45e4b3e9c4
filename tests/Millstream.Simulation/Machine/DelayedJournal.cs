namespace Millstream.Simulation;

/// <summary>How slow a simulated store is, and how it groups.</summary>
internal sealed class StoreModel(Random random, SimulationExecutor executor, SimulationTime time)
{
    private readonly int _immediate = random.Next(5) switch { 0 => 100, 1 => 0, _ => random.Next(100) };
    private readonly int _slow = random.Next(3) == 0 ? 40 : 5;

    public bool IsImmediate() => random.Next(100) < _immediate;

    /// <summary>How much of what waits becomes durable together.</summary>
    public int Group(int waiting) => random.Next(2) == 0 ? waiting : 1 + random.Next(waiting);

    public void Later(Action work)
    {
        if (random.Next(2) == 0)
            executor.Schedule(work);
        else
            time.CreateTimer(static state => ((Action)state!)(), work, TimeSpan.FromMilliseconds(random.Next(_slow)), Timeout.InfiniteTimeSpan);
    }
}

/// <summary>
/// A model of a durable store's journal: an append gets its numbers at once and becomes durable later, in order, sometimes together with what
/// came after it. It remembers all it was given and how it was cut into appends, for the checks.
/// </summary>
internal sealed class DelayedJournal(StoreModel store, SimulationExecutor executor, Action<JournalEntry> added) : JobJournal(executor)
{
    private readonly Queue<(long UpTo, IDurable? WhenDurable)> _waiting = new();
    private int _batch;
    private readonly Queue<List<IDurable>> _telling = new();

    /// <summary>All entries, durable or not, and the append that each came in.</summary>
    public List<(JournalEntry Entry, int Batch)> Entries { get; } = [];

    /// <summary>What the store has written, whatever the journal shows.</summary>
    public long Written { get; private set; }

    /// <summary>Whether all is written, and all who wait for that know.</summary>
    public bool IsSettled => _waiting.Count == 0 && _telling.Count == 0;

    protected override void Added(JournalEntry entry)
    {
        Entries.Add((entry, _batch));
        added(entry);
    }

    protected override bool Commit(long upTo, IDurable? whenDurable)
    {
        _batch++;
        if (_waiting.Count == 0 && _telling.Count == 0 && store.IsImmediate())
        {
            Written = upTo;
            Publish(upTo);
            return true;
        }
        _waiting.Enqueue((upTo, whenDurable));
        store.Later(Write);
        return false;
    }

    private void Write()
    {
        List<IDurable> durable = [];
        lock (Gate)
        {
            if (_waiting.Count == 0)
                return;
            for (int i = store.Group(_waiting.Count); i > 0; i--)
            {
                (long upTo, IDurable? whenDurable) = _waiting.Dequeue();
                Written = upTo;
                if (whenDurable is not null)
                    durable.Add(whenDurable);
            }
            Publish(Written);
        }
        Wake();
        if (_telling.Count == 0 && store.IsImmediate())
        {
            foreach (IDurable told in durable)
                told.Durable();
            return;
        }
        _telling.Enqueue(durable);
        store.Later(Tell);
    }

    // In order, like all that a store says.
    private void Tell()
    {
        foreach (IDurable told in _telling.Dequeue())
            told.Durable();
    }
}
