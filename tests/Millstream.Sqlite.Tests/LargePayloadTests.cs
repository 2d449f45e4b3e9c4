using Millstream.Tests.Journaling;

namespace Millstream.Sqlite.Tests;

public sealed class LargePayloadTests : LargePayloadContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-large-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    protected override IJournalStorage Open() => new SqliteJournalStorage(Path.Combine(_folder, "journal.db"));
}
