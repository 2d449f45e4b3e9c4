using System.Text;

namespace Millstream.PostgreSql.Tests;

/// <summary>Connections that end between a request and its answer: each write is done once, and its caller is told the truth.</summary>
public sealed class LostAnswerTests : PostgreSqlTest
{
    private Proxy _proxy = null!;

    private string ByProxy => $"{Server.UrlOf("postgres", PrivateServer.Password, _proxy.Port)}?schema={Schema}";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _proxy = new Proxy(Server.Port);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        await base.DisposeAsync();
    }

    [Theory]
    [InlineData(nameof(TrapKind.LoseAnswer))]
    [InlineData(nameof(TrapKind.LoseRequest))]
    public async Task Append_IsAppendedOnce(string kind)
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy);
        await store.AppendAsync([Made(Job)]);
        for (int i = 2; i <= 6; i++)
        {
            Trap trap = Set(kind, $"marker {i}");
            Assert.Equal([AppendResult.Appended, AppendResult.UnknownJob], await store.AppendAsync([Marked(i), More(2, JobId.Parse("other"))]));
            Assert.Null(_proxy.Next);
            Assert.Equal(kind == nameof(TrapKind.LoseAnswer), trap.Answered.Task.IsCompleted);
            Assert.Equal(i, await CountAsync(store));
        }
    }

    [Fact]
    public async Task Append_InSeveralParts_AnswerOfTheCommitLost_IsAppendedOnce()
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy);
        JobId[] jobs = [.. Enumerable.Range(0, 3).Select(i => JobId.Parse($"j{i}"))];
        await store.AppendAsync([.. jobs.Select(j => Made(j)), Made(Job)]);
        Trap trap = Set(nameof(TrapKind.LoseAnswer), "COMMIT");
        AppendResult[] results = await store.AppendAsync([.. jobs.Select(j => More(2, j, 9 << 20)), More(3)]);
        Assert.True(trap.Answered.Task.IsCompleted);
        Assert.Equal([AppendResult.Appended, AppendResult.Appended, AppendResult.Appended, AppendResult.Conflict], results);
        Assert.All(await Task.WhenAll(jobs.Select(j => CountAsync(store, j))), count => Assert.Equal(2, count));
    }

    [Theory]
    [InlineData(nameof(TrapKind.LoseAnswer))]
    [InlineData(nameof(TrapKind.LoseRequest))]
    public async Task Offer_WithoutASendersId_IsThereOnce(string kind)
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy);
        await store.AppendAsync([Made(Job, 5)]);
        Set(kind, "marker");
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, null, "marker"u8.ToArray())));
        Set(kind, "marker");
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, "sender", "marker"u8.ToArray())));
        Assert.Equal(2, (await store.ReadInboxAsync(5)).Count);
    }

    [Theory]
    [InlineData(nameof(TrapKind.LoseAnswer))]
    [InlineData(nameof(TrapKind.LoseRequest))]
    public async Task Claim_GivesWhatItTook(string kind)
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy);
        Set(kind, ".open_runner(");
        long runner = await store.OpenRunnerAsync();
        Assert.Equal(1, runner);
        await store.AppendAsync([Made(Job, 99), Made(JobId.Parse("free"))]);
        Set(kind, ".claim(");
        Assert.Equal([Head(Job, runner) with { Epoch = 2, Restarts = 1 }, Head(JobId.Parse("free"), runner) with { Epoch = 2 }], await store.ClaimAsync(runner));
        Assert.Null(_proxy.Next);
        await store.AppendAsync([More(2, epoch: 2) with { Head = Head(Job) with { Ended = DateTimeOffset.UnixEpoch } }]);
        Set(kind, ".remove(");
        Assert.True(await store.RemoveAsync(Job));
    }

    [Theory]
    [InlineData(nameof(TrapKind.LoseAnswer))]
    [InlineData(nameof(TrapKind.LoseRequest))]
    public async Task List_IsAskedAgain(string kind)
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy);
        await store.AppendAsync([Made(Job)]);
        Set(kind, "ORDER BY key");
        List<JobId> listed = [];
        await foreach (JobHead head in store.ListAsync(new JobHeadFilter { AgentId = "agent" }))
            listed.Add(head.Id);
        Assert.Null(_proxy.Next);
        Assert.Equal([Job], listed);
    }

    [Fact]
    public async Task Request_ThatArrivesWhenNobodyWaitsForIt_IsRefused()
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy);
        await store.AppendAsync([Made(Job, 5)]);
        Trap late = Set(nameof(TrapKind.DeliverLate), "marker");
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, null, "marker"u8.ToArray())));
        late.Deliver();
        Assert.Contains(PostgreSqlFailures.NoWriter, await late.Answered.Task, StringComparison.Ordinal);
        Assert.Single(await store.ReadInboxAsync(5));
    }

    [Fact]
    public async Task Append_ServerStaysAway_ThrowsWhenThePatienceIsOver()
    {
        await using PostgreSqlJournalStorage store = Open(url: ByProxy, patience: TimeSpan.FromMilliseconds(200));
        await store.AppendAsync([Made(Job)]);
        _proxy.Cut();
        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([More(2)])), $"postgres://owner@127.0.0.1:{_proxy.Port}/postgres?schema={Schema}", "0.2 s", "Patience");
        Refused(await Assert.ThrowsAsync<JournalStorageException>(() => store.FindAsync(Job)), "0.2 s");
        _proxy.Mend();
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2)]));
        Assert.Equal(2, await CountAsync(store));
    }

    [Fact]
    public async Task Append_RowOfTheWriterRemoved_GoesOn()
    {
        await using PostgreSqlJournalStorage store = Open();
        await store.AppendAsync([Made(Job)]);
        await SqlAsync($"DELETE FROM {Schema}.writers");
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(2)]));
        Assert.Equal(2, await CountAsync(store));
    }

    private Trap Set(string kind, string text) => _proxy.Next = new Trap(Enum.Parse<TrapKind>(kind), text);

    private static JobAppend Marked(int number) => More(number) with { Record = new JournalRecord(number, 1, Encoding.UTF8.GetBytes($"marker {number}")) };
}
