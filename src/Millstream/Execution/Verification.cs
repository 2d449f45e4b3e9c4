namespace Millstream;

/// <summary>The turns of a job that is verified, as bytes: what the body does with an object later does not change what was recorded.</summary>
internal sealed class Verification
{
    private readonly EntryWriter _bytes = new(maxInline: int.MaxValue);
    private readonly List<JournalRecord> _turns = [];

    /// <summary>Adds a turn that was appended.</summary>
    public void Add(List<JournalEntry> turn)
    {
        if (turn is [{ IsNote: false } first, ..])
            _turns.Add(Record(turn, first.Number));
    }

    /// <summary>The turns as a journal gives them back, with one more.</summary>
    /// <param name="job">The job.</param>
    /// <param name="last">The turn that is to come.</param>
    /// <param name="number">Its first number.</param>
    public IEnumerable<List<JournalEntry>> With(JobId job, List<JournalEntry> last, long number) =>
        _turns.Append(Record(last, number)).Select(t => EntryReader.Read(job, t, null, out _));

    private JournalRecord Record(List<JournalEntry> turn, long number)
    {
        foreach (JournalEntry entry in turn)
            _bytes.Write(entry);
        return new JournalRecord(number, turn.Count, _bytes.Take(out _));
    }
}
