using System.Text.Json;

namespace Millstream.Simulation;

/// <summary>What a check sees of a job's journal.</summary>
internal interface IJournalView
{
    /// <summary>All entries, durable or not, and the append that each came in.</summary>
    List<(JournalEntry Entry, int Batch)> Entries { get; }

    /// <summary>When each was added, by <see cref="SimulationTime.Now"/>.</summary>
    List<long> AddedAt { get; }

    /// <summary>How many of them are durable.</summary>
    long Written { get; }

    /// <summary>Whether all is written, and all who wait for that know.</summary>
    bool IsSettled { get; }

    /// <summary>Whether no entry will follow.</summary>
    bool IsClosed { get; }
}

/// <summary>What was seen of one job, beside its journal.</summary>
internal sealed class JobRecord(JobId id, IJournalView journal)
{
    /// <summary>The job's runner; none where the job is in a store.</summary>
    public JobRunner? Runner { get; init; }

    public IJournalView Journal => journal;

    public JobId Id => id;

    /// <summary>What the body saw; of a job in a store, in the process in which it ended.</summary>
    public BodyRecord Body { get; set; } = new();

    /// <summary>Where each command stands in the journal.</summary>
    public Dictionary<int, long> Commands { get; } = [];

    public Dictionary<int, long> Stops { get; } = [];

    /// <summary>What a clean-up had asked for when the job was cancelled.</summary>
    public HashSet<int> LeftToCleanUp { get; } = [];

    /// <summary>The attempts that are at work.</summary>
    public List<Attempt> Running { get; } = [];

    public List<SentSignal> Sent { get; } = [];

    public List<SentAnswer> Answers { get; } = [];

    /// <summary>Cancels whose senders wait to hear of them.</summary>
    public int Cancels { get; set; }

    /// <summary>Whether somebody waits to hear of a signal, an answer or a cancel.</summary>
    public bool OwesReply => Cancels > 0 || Sent.Exists(s => s.Result is null) || Answers.Exists(a => a.Result is null);

    /// <summary>Whether a sender heard that its cancel was accepted.</summary>
    public bool IsCancelAccepted { get; set; }

    public bool HasEnded { get; set; }

    /// <summary>The number of its plan.</summary>
    public int Plan => Int(((StartOf)journal.Entries[0].Entry.Payload!).Input);

    /// <summary>The id of the agent that runs it; null before its first entry.</summary>
    public string? Agent => journal.Entries.Count == 0 ? null : ((StartOf)journal.Entries[0].Entry.Payload!).Agent;

    public bool IsDurable(long number) => number <= journal.Written;

    /// <summary>A payload that is a number, as it is in memory or in a store.</summary>
    public static int Int(object? payload) => payload is StoredPayload stored ? JsonSerializer.Deserialize<int>(stored.Json.Span) : (int)payload!;
}

/// <summary>What one run of a body got, in its order.</summary>
internal sealed class BodyRecord
{
    /// <summary>Task results.</summary>
    public List<int> Results { get; } = [];

    /// <summary>Signals that it took.</summary>
    public List<int> Received { get; } = [];

    /// <summary>Questions, by their own number, that it got a reply to.</summary>
    public Dictionary<int, int> Replies { get; } = [];

    public int Emitted { get; set; }
}

/// <summary>A signal on its way.</summary>
internal sealed class SentSignal(int value, string? id)
{
    public int Value => value;

    public string? Id => id;

    public SignalResult? Result { get; set; }

    /// <summary>Whether it was accepted for the job's inbox, and not by its runner.</summary>
    public bool IsOffered { get; set; }

    /// <summary>Whether its sender gave up: its process or the store failed, and nobody knows what became of it.</summary>
    public bool IsInDoubt { get; set; }
}

/// <summary>An answer on its way.</summary>
internal sealed class SentAnswer(int question, int value)
{
    public int Question => question;

    public int Value => value;

    public SignalResult? Result { get; set; }

    /// <summary>Whether it was accepted for the job's inbox, and not by its runner.</summary>
    public bool IsOffered { get; set; }

    /// <summary>Whether its sender gave up: its process or the store failed, and nobody knows what became of it.</summary>
    public bool IsInDoubt { get; set; }
}
