namespace Millstream;

/// <summary>
/// A journal in memory: what is appended is durable at once. Over its bound it replaces its oldest deltas by <c>trimmed</c> entries; when
/// durable entries alone exceed it, it says so once.
/// </summary>
internal class MemoryJobJournal(IExecutor executor, SteadyClock clock, long bound, Action full) : JobJournal(executor, clock)
{
    private const string DeltaClass = "delta";

    private long _size;
    private long _deltas;
    private Segment? _trimSegment;
    private int _trimIndex;
    private JournalEntry? _trimming;
    private bool _isFull;

    protected override bool Commit(long upTo, IDurable? whenDurable)
    {
        Publish(upTo);
        return true;
    }

    protected override void Added(JournalEntry entry)
    {
        _size += entry.Size;
        if (entry.Kind == EntryKind.TaskDelta)
            _deltas += entry.Size;
        if (_size <= bound)
            return;
        if (_deltas > 0)
            Trim(entry.Number);
        if (_size > bound && !_isFull)
        {
            _isFull = true;
            full();
        }
    }

    // Down to seven eighths, so that a full journal is not trimmed at each entry.
    private void Trim(long upTo)
    {
        _trimSegment ??= First;
        while (_size > bound / 8 * 7 && _deltas > 0)
        {
            if (_trimIndex == _trimSegment.Entries.Length)
            {
                if (_trimSegment.Next is not { } next)
                    return;
                (_trimSegment, _trimIndex) = (next, 0);
            }
            long number = _trimSegment.From + _trimIndex;
            if (number >= upTo)
                return;
            JournalEntry entry = _trimSegment.Entries[_trimIndex];
            if (entry.Kind == EntryKind.TaskDelta)
            {
                _size -= entry.Size;
                _deltas -= entry.Size;
                _trimming ??= new JournalEntry(EntryKind.Trimmed, entry.Time) { Number = number, Payload = new TrimmedRange(DeltaClass) };
                ((TrimmedRange)_trimming.Payload!).To = number;
                Replace(_trimSegment, _trimIndex, _trimming);
            }
            else
            {
                _trimming = null;
            }
            _trimIndex++;
        }
    }
}
