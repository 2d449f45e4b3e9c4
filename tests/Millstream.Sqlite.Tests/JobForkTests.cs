using Millstream.Tests.Journaling;

namespace Millstream.Sqlite.Tests;

public sealed class JobForkTests : JobForkContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-fork-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    protected override IJournalStorage Open() => new SqliteJournalStorage(Path.Combine(_folder, "journal.db"));
}
