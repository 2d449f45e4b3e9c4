namespace Millstream;

/// <summary>A receipt: its effect is carried out once its turn's record is durable.</summary>
internal sealed class FlushCommand : PendingCommand
{
    private readonly TaskCompletionSource _promise = new();

    public Task Task => _promise.Task;

    public override string Waker => "the journal";

    public override JournalEntry CommandEntry() => Entry(EntryKind.Flush);

    // It ends by itself at once; a stop has nothing to add.
    public override JournalEntry StopEntry() => Entry(EntryKind.Flush);

    public override void Start() => Runner.Enqueue(this);

    public override void Stop()
    {
    }

    protected override JournalEntry EndEntry() => Entry(EntryKind.Flushed);

    protected override void Settle() => _promise.TrySetResult();
}
