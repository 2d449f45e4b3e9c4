namespace Millstream;

/// <content>A job that checks at its end that its body does the same again.</content>
internal sealed partial class JobRunner
{
    private readonly Verification? _verification;
    private bool _isAbandoned;
    private bool _isOfAnotherRun;

    /// <summary>Whether it only runs again what another runner has recorded: nothing that it asks for is done or stored.</summary>
    public bool IsShadow { get; }

    /// <summary>Whether the body gets what was read back from bytes: where it could be replayed, or is to be checked for that.</summary>
    public bool Copies => _engine.IsDurable || Options.Verify || IsShadow;

    /// <summary>A value as a journal gives it back, or the value itself where nobody replays the job.</summary>
    /// <exception cref="PayloadTooLargeException">It is larger than a journal takes.</exception>
    public object? Copy(PayloadType type, object? value) => Copies ? _engine.Copy(type, value) : value;

    /// <summary>Checks that a journal will take a value, while its caller can still be told.</summary>
    /// <exception cref="PayloadTooLargeException">It is larger than a journal takes.</exception>
    public void Check(PayloadType type, object? value)
    {
        if (Copies && type.SizeOf(value) is var size && size > _engine.MaxPayload)
            throw new PayloadTooLargeException(type.Type, size, _engine.MaxPayload);
    }

    /// <summary>Runs the body again on what was recorded, the turn at hand included.</summary>
    /// <returns>The end of the job: as it is, or a failure that shows where the body did something else.</returns>
    private JobEnding Verified(JobEnding outcome)
    {
        // A body that was given up is suspected already, and is not where its journal ends.
        if (_verification is null || _isAbandoned)
            return outcome;
        JobRunner shadow = new(_engine, Id, Agent, Options with { Verify = false }, isShadow: true);
        string? difference = shadow.RunAgain(_verification.With(Id, [.. _turn.Entries, EndingEntry(outcome)], Journal.Next));
        return difference is null ? outcome : new JobEnding.Failed(new JobError(ErrorTypes.NonDeterministic, difference));
    }

    /// <summary>Runs an agent's body on what some process recorded, as a replay does, with nothing done, stored or logged.</summary>
    /// <returns>Where its code asks for something else than a replay allows; null where it does not.</returns>
    public static string? Replayed(Engine engine, JobId id, Agent agent, IReadOnlyList<JournalEntry> entries) =>
        new JobRunner(engine, id, agent, new JobOptions(), isShadow: true) { _isOfAnotherRun = true }.RunAgain(TurnsOf(entries));

    private static IEnumerable<List<JournalEntry>> TurnsOf(IReadOnlyList<JournalEntry> entries)
    {
        List<JournalEntry> turn = [];
        foreach (JournalEntry entry in entries.Where(e => !e.IsNote))
        {
            turn.Add(entry);
            if (!entry.EndsTurn)
                continue;
            yield return turn;
            turn = [];
        }
    }

    private string? RunAgain(IEnumerable<List<JournalEntry>> turns)
    {
        foreach (List<JournalEntry> turn in turns)
        {
            _recorded = turn.ToArray();
            RunTurn(DeliveryOf(turn[0]));
            if (_suspended is not null)
                break;
        }
        // What comes of it from now on is dropped.
        _stopped = true;
        return _suspended;
    }
}
