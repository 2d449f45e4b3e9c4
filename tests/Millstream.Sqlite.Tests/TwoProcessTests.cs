using System.Diagnostics;

namespace Millstream.Sqlite.Tests;

/// <summary>Two processes on one journal.</summary>
public sealed class TwoProcessTests : SqliteTest
{
    [Fact]
    public async Task Claim_ProcessLivesAndIsKilled_GivesItsJobOnlyThen()
    {
        await using SqliteJournalStorage store = new(Journal);
        long mine = await store.OpenRunnerAsync();
        ProcessStartInfo start = new("dotnet", [typeof(TwoProcessTests).Assembly.Location, "run-job", Journal, Job.Value]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        try
        {
            Assert.Equal("2", await process.StandardOutput.ReadLineAsync());
            await store.WaitForChangeAsync();
            Assert.Equal(2, (await store.FindAsync(Job))!.Runner);
            Assert.Empty(await store.ClaimAsync(mine));
            Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, null, default)));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        JobHead claimed = Assert.Single(await store.ClaimAsync(mine));
        Assert.Equal((mine, 2, 1), (claimed.Runner, claimed.Epoch, claimed.Restarts));
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2) with { Epoch = 2 }]));
        Assert.Single(await store.ReadInboxAsync(mine));
        Assert.True(File.Exists($"{Journal}.runners/2.lock"));
        await store.OpenRunnerAsync();
        Assert.False(File.Exists($"{Journal}.runners/2.lock"));
    }

    [Fact]
    public async Task Offer_AnotherWritesWithoutRest_IsAccepted()
    {
        await using SqliteJournalStorage busy = new(Journal), other = new(Journal);
        await busy.AppendAsync([Made(Job)]);
        bool isDone = false;
        Task writer = Task.Run(async () =>
        {
            for (int i = 2; !Volatile.Read(ref isDone); i++)
                Assert.Equal([AppendResult.Appended], await busy.AppendAsync([More(i, 200_000)]));
        });
        for (int i = 0; i < 10; i++)
            Assert.Equal(OfferResult.Accepted, await other.OfferAsync(Job, new InboxItem(1, null, default)));
        Volatile.Write(ref isDone, true);
        await writer;
    }

    [Fact]
    public async Task OpenRunner_FolderOfLocksIsAFile_SaysSoAndOpensNone()
    {
        await using SqliteJournalStorage store = new(Journal);
        await File.WriteAllTextAsync(Journal + ".runners", "");
        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.OpenRunnerAsync()), Journal + ".runners");
        File.Delete(Journal + ".runners");
        Assert.Equal(1, await store.OpenRunnerAsync());
    }

    [Fact]
    public async Task Dispose_TakesTheLockFileAway()
    {
        await using (SqliteJournalStorage store = new(Journal))
            await store.OpenRunnerAsync();
        Assert.Empty(Directory.GetFiles(Journal + ".runners"));
        Assert.False(File.Exists(Journal + "-wal"));
    }
}
