namespace Millstream.Tests.Journaling;

public sealed class JobForkTests : JobForkContract
{
    protected override IJournalStorage Open() => new MemoryJournalStorage();
}
