namespace Millstream.Simulation;

/// <summary>
/// A model of a durable store: one writer for all jobs, which writes what was appended in its order, late, in groups or one by one, and then
/// tells who waits for it. What is appended while nothing waits may be durable at once.
/// </summary>
internal sealed class StoreModel
{
    private readonly Queue<Commit> _waiting = new();
    private readonly Queue<Commit[]> _written = new();
    private readonly Random _random;
    private readonly SimulationExecutor _executor;
    private readonly SimulationTime _time;
    private readonly int _immediate;
    private readonly int _slow;

    public StoreModel(Random random, SimulationExecutor executor, SimulationTime time)
    {
        (_random, _executor, _time) = (random, executor, time);
        _immediate = random.Next(5) switch { 0 => 100, 1 => 0, _ => random.Next(100) };
        _slow = random.Next(3) == 0 ? 40 : 5;
    }

    /// <summary>Takes an append; true when it is durable at once.</summary>
    public bool Append(DelayedJournal journal, long upTo, IDurable? whenDurable)
    {
        if (_waiting.Count == 0 && _written.Count == 0 && IsImmediate())
            return true;
        _waiting.Enqueue(new Commit(journal, upTo, whenDurable));
        Later(Write);
        return false;
    }

    private void Write()
    {
        if (_waiting.Count == 0)
            return;
        Commit[] group = new Commit[_random.Next(2) == 0 ? _waiting.Count : 1 + _random.Next(_waiting.Count)];
        for (int i = 0; i < group.Length; i++)
        {
            group[i] = _waiting.Dequeue();
            group[i].Journal.Write(group[i].UpTo);
        }
        _written.Enqueue(group);
        if (_written.Count == 1 && IsImmediate())
            Tell();
        else
            Later(Tell);
    }

    // In order, like all that a store says.
    private void Tell()
    {
        foreach (Commit commit in _written.Dequeue())
            commit.Journal.Told(commit.WhenDurable);
    }

    private bool IsImmediate() => _random.Next(100) < _immediate;

    private void Later(Action work)
    {
        if (_random.Next(2) == 0)
            _executor.Schedule(work);
        else
            _time.CreateTimer(static state => ((Action)state!)(), work, TimeSpan.FromMilliseconds(_random.Next(_slow)), Timeout.InfiniteTimeSpan);
    }

    private readonly record struct Commit(DelayedJournal Journal, long UpTo, IDurable? WhenDurable);
}
