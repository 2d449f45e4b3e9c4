using Millstream.Tests.Journaling;

namespace Millstream.PostgreSql.Tests;

public sealed class LargePayloadTests : LargePayloadContract, IAsyncLifetime
{
    private readonly Journal _journal = new();

    protected override IJournalStorage Open() => _journal.OpenOne();

    public ValueTask InitializeAsync() => _journal.InitializeAsync();

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    private sealed class Journal : PostgreSqlTest
    {
        public IJournalStorage OpenOne() => Open();
    }
}
