namespace Millstream;

/// <summary>A receipt: its effect is carried out once its turn's record is durable.</summary>
internal sealed class FlushCommand : PendingCommand
{
    private readonly TaskCompletionSource _promise = new();

    public Task Task => _promise.Task;

    public override string Waker => "the journal";

    public override JournalEntry CommandEntry() => Entry(EntryKind.Flush);

    // It ends by itself at once.
    public override bool CanStop => false;

    public override JournalEntry StopEntry() => throw new InvalidOperationException("A flush cannot be stopped.");

    public override void Restore(JournalEntry end)
    {
        // Its end says all.
    }

    public override void Start() => Runner.Enqueue(this);

#if MILLSTREAM_PLANTED_BUGS
    public override void Resume(PastOf past)
    {
        if (!PlantedBugs.Is(Bug.FlushForgotten)) Start();
    }

#endif
    public override void Stop()
    {
    }

    protected override JournalEntry EndEntry() => Entry(EntryKind.Flushed);

    protected override void Settle() => _promise.TrySetResult();
}
