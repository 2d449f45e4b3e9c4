using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Millstream.Sqlite.Tests;

/// <summary>What goes wrong at work, and that nothing is acknowledged after it.</summary>
public sealed class SqliteFaultTests : SqliteTest
{
    [Fact]
    public async Task Append_CommitFails_NothingIsAcknowledgedUntilReopened()
    {
        SqliteJournalStorage store = new(Journal);
        long runner = await store.OpenRunnerAsync();
        await store.AppendAsync([Made(Job, runner)]);
        raw.sqlite3_commit_hook(store.WriterSession.Connection.Handle, _ => 1, null);
        await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([More(2)]));
        raw.sqlite3_commit_hook(store.WriterSession.Connection.Handle, null, null);

        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([More(2)])), Journal, "Nothing is stored here any more", "dispose", "open the journal again");
        await Assert.ThrowsAsync<JournalStorageException>(() => store.OfferAsync(Job, new InboxItem(1, null, default)));
        await Assert.ThrowsAsync<JournalStorageException>(() => store.RemoveAsync(Job));
        Assert.Equal(1, await CountAsync(store));
        await store.DisposeAsync();

        await using SqliteJournalStorage again = new(Journal);
        Assert.Equal(2, Assert.Single(await again.ClaimAsync(await again.OpenRunnerAsync())).Epoch);
        Assert.Equal(1, await CountAsync(again));
    }

    [Fact]
    public async Task Append_DiskFull_SaysSoAndKeepsWhatIsThere()
    {
        await FillAsync(10);
        await using (SqliteJournalStorage store = new(Journal))
        {
            store.WriterSession.Number($"PRAGMA max_page_count = {store.WriterSession.Number("PRAGMA page_count")}");
            Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([More(11, 100_000)])), Journal, "no room left", "Free some space");
            Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([More(11)])), "no room left", "open the journal again");
        }
        await using SqliteJournalStorage again = new(Journal);
        Assert.Equal(10, await CountAsync(again));
        Assert.Equal([AppendResult.Appended], await again.AppendAsync([More(11)]));
    }

    [Fact]
    public async Task Read_DamagedPages_SaysSo()
    {
        await FillAsync(300);
        using (FileStream file = File.OpenWrite(Journal))
        {
            file.Position = file.Length / 2;
            file.Write(Enumerable.Repeat((byte)0xFF, 64 * 1024).ToArray());
        }
        await using SqliteJournalStorage store = new(Journal);
        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => CountAsync(store)), Journal, "is damaged", "backup");
    }

    [Fact]
    public async Task Append_ReadOnly_SaysSo()
    {
        await using SqliteJournalStorage store = new(Journal);
        store.WriterSession.Run("PRAGMA query_only = ON");
        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([Made(Job)])), Journal, "cannot be opened for writing", "permissions");
    }

    [Fact]
    public async Task Append_LockedByAnotherTool_SaysSoAndGoesOnAfterwards()
    {
        await using SqliteJournalStorage store = new(Journal, TimeSpan.FromMilliseconds(50));
        await store.AppendAsync([Made(Job)]);
        using SqliteConnection other = Connect(Journal);
        Sql(other, "BEGIN IMMEDIATE");
        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([More(2)])), Journal, "has locked", "0.1 s");
        Assert.Equal(1, await CountAsync(store));
        Sql(other, "ROLLBACK");
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2)]));
    }

    [Fact]
    public async Task Append_CancelledWhileLocked_StoresNothing()
    {
        await using SqliteJournalStorage store = new(Journal);
        await store.AppendAsync([Made(Job)]);
        using SqliteConnection other = Connect(Journal);
        Sql(other, "BEGIN IMMEDIATE");
        using CancellationTokenSource source = new();
        Task<AppendResult[]> append = store.AppendAsync([More(2)], source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);
        Sql(other, "ROLLBACK");
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2)]));
    }
}
