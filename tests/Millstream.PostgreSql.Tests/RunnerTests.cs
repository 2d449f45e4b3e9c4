using System.Diagnostics;

namespace Millstream.PostgreSql.Tests;

/// <summary>Who lives, who is dead, and who hears what.</summary>
public sealed class RunnerTests : PostgreSqlTest
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Claim_ProcessLivesAndIsKilled_GivesItsJobOnlyThen()
    {
        await using PostgreSqlJournalStorage store = Open();
        long mine = await store.OpenRunnerAsync();
        ProcessStartInfo start = new("dotnet", [typeof(RunnerTests).Assembly.Location, "run-job", Url, Job.Value]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        try
        {
            Assert.Equal("2", await process.StandardOutput.ReadLineAsync());
            Assert.Equal(2, (await store.FindAsync(Job))!.Runner);
            Assert.Empty(await store.ClaimAsync(mine));
            Assert.Equal([2L], await store.ReadLivingRunnersAsync());
            Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, null, default)));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        // At once, although its row says for half a minute that it lives.
        Assert.Empty(await store.ReadLivingRunnersAsync());
        JobHead claimed = Assert.Single(await store.ClaimAsync(mine));
        Assert.Equal((mine, 2, 1), (claimed.Runner, claimed.Epoch, claimed.Restarts));
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2, epoch: 2)]));
        Assert.Single(await store.ReadInboxAsync(mine));
    }

    [Fact]
    public async Task Claim_RunnerThatIsCutOff_WaitsForItsTimeAndKeepsItOutAfterwards()
    {
        await using Proxy proxy = new(Server.Port);
        await using PostgreSqlJournalStorage store = Open(Short), cut = Open(Short, url: $"{Server.UrlOf("postgres", PrivateServer.Password, proxy.Port)}?schema={Schema}");
        long mine = await store.OpenRunnerAsync(), other = await cut.OpenRunnerAsync();
        await cut.AppendAsync([Made(Job, other)]);
        // Longer than its time: it is renewed.
        object? renewed = await RenewedAsync(other);
        while (Equals(renewed, await RenewedAsync(other)))
            Assert.Empty(await store.ClaimAsync(mine));
        proxy.Cut();
        while (await store.ClaimAsync(mine) is { Count: 0 })
            await store.WaitForChangeAsync();
        Assert.Equal(true, await SqlAsync($"SELECT renewed + ttl < clock_timestamp() FROM {Schema}.runners WHERE number = {other}"));
        proxy.Mend();
        Assert.Equal([AppendResult.Fenced], await cut.AppendAsync([More(2)]));
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2, epoch: 2)]));
        // It lives again, with what it makes from now on.
        await cut.AppendAsync([Made(JobId.Parse("new"), other)]);
        while (!(await store.ReadLivingRunnersAsync()).Contains(other))
            await store.WaitForChangeAsync();
        Assert.Empty(await store.ClaimAsync(mine));
    }

    [Fact]
    public async Task Claim_RunnerWhoseConnectionsEnd_GivesNothing()
    {
        await using PostgreSqlJournalStorage store = Open(), other = Open();
        long mine = await store.OpenRunnerAsync(), living = await other.OpenRunnerAsync();
        await other.AppendAsync([Made(Job, living)]);
        await SqlAsync($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%{Schema}.%' AND pid <> pg_backend_pid()");
        Assert.Empty(await store.ClaimAsync(mine));
        Assert.Equal([AppendResult.Appended], await other.AppendAsync([More(2)]));
    }

    [Fact]
    public async Task Renew_RowTakenAway_ComesBack()
    {
        await using PostgreSqlJournalStorage store = Open(Short), other = Open();
        long runner = await store.OpenRunnerAsync();
        await store.AppendAsync([Made(Job, runner)]);
        await SqlAsync($"DELETE FROM {Schema}.runners");
        while (!(await other.ReadLivingRunnersAsync()).Contains(runner))
            await other.WaitForChangeAsync();
        await store.DisposeAsync();
        Assert.Equal(0L, await SqlAsync($"SELECT count(*) FROM {Schema}.runners"));
        Assert.Equal(1L, await SqlAsync($"SELECT count(*) FROM {Schema}.jobs"));
    }

    // Without a notice it would wait for ever.
    [Fact(Timeout = 120_000)]
    public async Task WaitForChange_IsWokenByNotify_AlsoAfterItsConnectionWasLost()
    {
        CancellationToken over = TestContext.Current.CancellationToken;
        // One that never looks by itself.
        await using PostgreSqlJournalStorage waits = new(Url, new PostgreSqlJournalOptions { LongestWait = Timeout.InfiniteTimeSpan }), other = Open();
        await other.AppendAsync([Made(Job)]);
        await waits.WaitForChangeAsync(over); // before the call
        for (int round = 1; round <= 3; round++)
        {
            // Listening is a change, since something may have been missed.
            while (waits.Changes.Connections < round)
                await waits.WaitForChangeAsync(over);
            Task change = waits.WaitForChangeAsync(over);
            await waits.AppendAsync([More((2 * round) + 2, JobId.Parse("own")) with { Record = new JournalRecord(1, 1, default), Head = Head(JobId.Parse("own")) }]);
            await other.OfferAsync(Job, new InboxItem(1, null, default));
            await change;
            Assert.Equal(1L, await SqlAsync($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query = 'LISTEN {Schema}'"));
        }
    }

    [Fact]
    public async Task WaitForChange_NobodyTells_IsDone()
    {
        await using PostgreSqlJournalStorage store = new(Url, new PostgreSqlJournalOptions { LongestWait = TimeSpan.FromMilliseconds(50) });
        for (int i = 0; i < 5; i++)
            await store.WaitForChangeAsync();
    }

    [Fact]
    public void LocalProcess_KnowsWhoIsGone()
    {
        Assert.SkipWhen(LocalProcess.Current.Machine is null, "only on Linux");
        LocalProcess here = LocalProcess.Current;
        Assert.False(here.IsGone);
        Assert.True((here with { Started = here.Started + 1 }).IsGone);
        Assert.True((here with { Id = int.MaxValue }).IsGone);
        Assert.False((here with { Id = int.MaxValue, Machine = "another" }).IsGone);
        Assert.False((here with { Id = int.MaxValue, Machine = null }).IsGone);
    }

    private Task<object?> RenewedAsync(long runner) => SqlAsync($"SELECT renewed FROM {Schema}.runners WHERE number = {runner}");
}
