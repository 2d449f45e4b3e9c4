namespace Millstream.Tests.Journaling;

public sealed class LargePayloadTests : LargePayloadContract
{
    private MemoryJournalStorage? _first;

    protected override IJournalStorage Open() => _first is null ? _first = new MemoryJournalStorage() : _first.Reopen();
}
