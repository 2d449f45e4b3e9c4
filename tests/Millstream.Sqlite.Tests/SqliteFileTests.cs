using Microsoft.Data.Sqlite;

namespace Millstream.Sqlite.Tests;

/// <summary>Opening: what is made, and what is refused with which words.</summary>
public sealed class SqliteFileTests : SqliteTest
{
    [Fact]
    public async Task Open_MissingFolder_MakesAllForTheOwnerAlone()
    {
        string path = Path.Combine(Folder, "a", "b", "journal.db");
        await using SqliteJournalStorage store = new(path);
        long runner = await store.OpenRunnerAsync();
        Assert.Equal(path, store.Location);
        if (OperatingSystem.IsWindows())
            return;
        const UnixFileMode file = UnixFileMode.UserRead | UnixFileMode.UserWrite, folder = file | UnixFileMode.UserExecute;
        foreach (string f in (string[])[path, path + "-wal", path + "-shm", $"{path}.runners/{runner}.lock"])
            Assert.Equal(file, File.GetUnixFileMode(f));
        foreach (string f in (string[])[Path.GetDirectoryName(path)!, path + ".runners"])
            Assert.Equal(folder, File.GetUnixFileMode(f));
    }

    [Fact]
    public async Task Open_SetsWhatDurabilityNeeds()
    {
        await using SqliteJournalStorage store = new(Journal);
        Assert.Equal(2, store.WriterSession.Number("PRAGMA synchronous"));
        Assert.Equal("wal", store.WriterSession.With("PRAGMA journal_mode").ExecuteScalar());
        Assert.Equal(SqliteSchema.Version, store.WriterSession.Number("PRAGMA user_version"));
    }

    [Fact]
    public async Task Open_ByManyAtOnce_MakesOneJournal()
    {
        for (int round = 0; round < 25; round++)
        {
            string path = $"{Journal}.{round}";
            SqliteJournalStorage[] stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => new SqliteJournalStorage(path))));
            long[] runners = await Task.WhenAll(stores.Select(s => s.OpenRunnerAsync()));
            Assert.Equal(6, runners.Distinct().Count());
            foreach (SqliteJournalStorage store in stores)
                await store.DisposeAsync();
        }
    }

    [Fact]
    public void Open_TextFile_IsRefusedAndStays()
    {
        File.WriteAllText(Journal, new string('x', 10_000));
        Refused("is not a SQLite database", "Give another path");
        Assert.Equal(10_000, File.ReadAllText(Journal).Length);
    }

    [Fact]
    public void Open_DatabaseOfAnotherProgram_IsRefusedAndStays()
    {
        Sql(Journal, "CREATE TABLE songs (name TEXT)");
        byte[] before = File.ReadAllBytes(Journal);
        Refused("database of another program");
        Assert.Equal(before, File.ReadAllBytes(Journal));
    }

    [Fact]
    public async Task Open_NewerVersion_IsRefused()
    {
        await using (SqliteJournalStorage store = new(Journal))
            await store.AppendAsync([Made(Job)]);
        Sql(Journal, "PRAGMA user_version = 99");
        Refused("has version 99", "up to 2", "newer Millstream");
    }

    [Fact]
    public async Task Open_VersionOne_IsBroughtUpToDateAndKeepsItsJobs()
    {
        await using (SqliteJournalStorage store = new(Journal))
            await store.AppendAsync([Made(Job)]);
        Sql(Journal, "DROP TABLE blobs; PRAGMA user_version = 1");
        await using SqliteJournalStorage opened = new(Journal);
        Assert.Equal(SqliteSchema.Version, opened.WriterSession.Number("PRAGMA user_version"));
        JobAppend next = new() { Job = Job, Epoch = 1, Record = new JournalRecord(2, 1, new byte[1]), Blobs = [new JournalBlob("h", new byte[3])] };
        Assert.Equal([AppendResult.Appended], await opened.AppendAsync([next]));
        Assert.Equal(3, (await opened.ReadBlobAsync(Job, "h"))!.Value.Length);
    }

    [Fact]
    public async Task Open_TruncatedFile_IsRefused()
    {
        await FillAsync(300);
        using (FileStream file = File.OpenWrite(Journal))
            file.SetLength(file.Length / 2);
        Refused("is damaged", ".recover");
    }

    [Fact]
    public void Open_Folder_IsRefused()
    {
        Directory.CreateDirectory(Journal);
        Refused("is a folder", "journal.db");
    }

    [Fact]
    public void Open_FolderThatCannotBeWritten_IsRefused()
    {
        Assert.SkipUnless(Directory.Exists("/proc/sys"), "no folder here that nobody can write");
        Refused(Assert.Throws<JournalStorageException>(() => new SqliteJournalStorage("/proc/sys/millstream/journal.db")), "/proc/sys/millstream/journal.db", "must be able to write");
    }

    [Fact]
    public void Open_LockedFile_IsRefusedInTheEnd()
    {
        using SqliteConnection other = Connect(Journal);
        Sql(other, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
        Refused(Assert.Throws<JournalStorageException>(() => new SqliteJournalStorage(Journal, TimeSpan.FromSeconds(1))), "has locked the journal", "1 s");
    }

    [Theory]
    [InlineData(3_051_002, true)]
    [InlineData(3_051_003, false)]
    [InlineData(3_053_003, false)]
    public void Library_BelowTheFix_IsRefused(int number, bool isRefused)
    {
        Exception? thrown = Record.Exception(() => SqliteSchema.CheckLibrary(number, "3.x"));
        Assert.Equal(isRefused, thrown is JournalStorageException { Message: var m } && m.Contains("3.51.3", StringComparison.Ordinal));
    }

    private void Refused(params string[] words) => Refused(Assert.Throws<JournalStorageException>(() => new SqliteJournalStorage(Journal)), [Journal, .. words]);
}
