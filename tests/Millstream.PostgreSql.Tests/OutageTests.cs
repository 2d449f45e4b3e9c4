namespace Millstream.PostgreSql.Tests;

/// <summary>Servers that crash and connections that are cut while journals are written: what was acknowledged is there once, and work goes on by itself.</summary>
public sealed class OutageTests : PostgreSqlTest
{
    private PrivateServer? _own;

    protected override PrivateServer Server => _own ?? PrivateServer.Shared;

    [Fact]
    public async Task Append_ServerCrashes_GoesOnAndLosesNothing()
    {
        using PrivateServer own = _own = PrivateServer.Start();
        await using PostgreSqlJournalStorage store = Open(TimeSpan.FromHours(1)), other = Open();
        long runner = await store.OpenRunnerAsync(), second = await other.OpenRunnerAsync();
        JobId[] jobs = [.. Enumerable.Range(0, 20).Select(i => JobId.Parse($"j{i}"))];
        await store.AppendAsync([.. jobs.Select(j => Made(j, runner))]);
        int done = 1;
        using SemaphoreSlim progress = new(0);
        bool isOver = false;
        Task writing = Task.Run(async () =>
        {
            for (int n = 2; !Volatile.Read(ref isOver); n++)
            {
                Assert.All(await store.AppendAsync([.. jobs.Select(j => More(n, j))]), r => Assert.Equal(AppendResult.Appended, r));
                Volatile.Write(ref done, n);
                progress.Release();
            }
        });
        for (int crash = 0; crash < 3; crash++)
        {
            await UntilMoreAsync();
            own.Crash();
            own.StartAgain();
            // While it was away nobody could say that he lives: nobody is taken for dead before he had the time to.
            await SqlAsync($"UPDATE {Schema}.runners SET renewed = now() - interval '2 hours' WHERE number = {runner}");
            Assert.Empty(await other.ClaimAsync(second));
            await UntilMoreAsync();
        }
        Volatile.Write(ref isOver, true);
        await writing;
        foreach (JobId job in jobs)
            Assert.Equal(done, await CountAsync(other, job));
        await store.DisposeAsync();
        Assert.Equal(jobs.Length, (await other.ClaimAsync(second)).Count);

        async Task UntilMoreAsync()
        {
            for (int more = 0; more < 20; more++)
            {
                Task one = progress.WaitAsync();
                if (await Task.WhenAny(one, writing) == writing)
                    await writing;
            }
        }
    }

    [Fact]
    public async Task Append_ConnectionsAreEndedMeanwhile_GoesOnAndLosesNothing()
    {
        await using PostgreSqlJournalStorage store = Open();
        await store.AppendAsync([Made(Job, 7)]);
        for (int n = 2; n <= 40; n++)
        {
            Task ending = SqlAsync($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%{Schema}.%' AND pid <> pg_backend_pid()");
            Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(n)]));
            Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, null, default)));
            await ending;
            Assert.Equal(n, await CountAsync(store));
        }
        Assert.Equal(39, (await store.ReadInboxAsync(7)).Count);
    }

    public override ValueTask DisposeAsync() => _own is null ? base.DisposeAsync() : ValueTask.CompletedTask;
}
