namespace Millstream.Simulation;

/// <summary>What was seen of one job, beside its journal.</summary>
internal sealed class JobRecord(JobRunner runner, DelayedJournal journal)
{
    public JobRunner Runner => runner;

    public DelayedJournal Journal => journal;

    public JobId Id => runner.Id;

    /// <summary>Where each command stands in the journal.</summary>
    public Dictionary<int, long> Commands { get; } = [];

    public Dictionary<int, long> Stops { get; } = [];

    /// <summary>What a clean-up had asked for when the job was cancelled.</summary>
    public HashSet<int> LeftToCleanUp { get; } = [];

    /// <summary>The attempts that ran, by their task's key; those that are at work.</summary>
    public List<Attempt> Running { get; } = [];

    /// <summary>Task results that the body got, in its order.</summary>
    public List<int> Results { get; } = [];

    /// <summary>Signals that the body took, in its order.</summary>
    public List<int> Received { get; } = [];

    public List<SentSignal> Sent { get; } = [];

    public List<SentAnswer> Answers { get; } = [];

    /// <summary>Questions, by their own number, that the body got a reply to.</summary>
    public Dictionary<int, int> Replies { get; } = [];

    public int Emitted { get; set; }

    /// <summary>Cancels whose senders wait to hear of them.</summary>
    public int Cancels { get; set; }

    /// <summary>Whether somebody waits to hear of a signal, an answer or a cancel.</summary>
    public bool OwesReply => Cancels > 0 || Sent.Exists(s => s.Result is null) || Answers.Exists(a => a.Result is null);

    public bool HasEnded { get; set; }

    public bool IsDurable(long number) => number <= journal.Written;
}

/// <summary>A signal on its way.</summary>
internal sealed class SentSignal(int value, string? id)
{
    public int Value => value;

    public string? Id => id;

    public SignalResult? Result { get; set; }
}

/// <summary>An answer on its way.</summary>
internal sealed class SentAnswer(int question, int value)
{
    public int Question => question;

    public int Value => value;

    public SignalResult? Result { get; set; }
}
