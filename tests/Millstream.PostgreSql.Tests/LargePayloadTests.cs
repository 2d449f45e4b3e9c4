using Millstream.Tests.Journaling;

namespace Millstream.PostgreSql.Tests;

public sealed class LargePayloadTests : LargePayloadContract, IAsyncLifetime
{
    private readonly ContractJournal _journal = new();

    protected override IJournalStorage Open() => _journal.OpenOne();

    public ValueTask InitializeAsync() => _journal.InitializeAsync();

    public ValueTask DisposeAsync() => _journal.DisposeAsync();
}
