namespace Millstream.Tests.Journaling;

/// <summary>Runners, claims, inboxes, changes by others.</summary>
public abstract partial class JournalStorageContract
{
    [Fact]
    public async Task OpenRunner_NumbersRise()
    {
        await using IJournalStorage store = Open();
        long first = await store.OpenRunnerAsync();
        Assert.True(first > 0);
        long second;
        await using (IJournalStorage other = Open())
            Assert.True((second = await other.OpenRunnerAsync()) > first);
        await using IJournalStorage third = Open();
        Assert.True(await third.OpenRunnerAsync() > second);
    }

    [Fact]
    public async Task Claim_OfALivingRunnersJobs_GivesNothing()
    {
        await using IJournalStorage one = Open(), two = Open();
        long first = await one.OpenRunnerAsync(), second = await two.OpenRunnerAsync();
        await one.AppendAsync([Create(A, Head(A, first))]);
        Assert.Empty(await two.ClaimAsync(second));
        Assert.Empty(await two.ClaimAsync(second, A));
        Assert.Empty(await one.ClaimAsync(first));
        Assert.Equal(Head(A, first), await one.FindAsync(A));
    }

    [Fact]
    public async Task LivingRunners_AreThoseOfOpenJobsThatLive()
    {
        IJournalStorage one = Open();
        await using IJournalStorage two = Open();
        long first = await one.OpenRunnerAsync(), second = await two.OpenRunnerAsync();
        Assert.Empty(await two.ReadLivingRunnersAsync());
        await one.AppendAsync([Create(A, Head(A, first)), Create(B, Head(B, second)), Create(C, Head(C, 0))]);
        Assert.Equal([first, second], (await two.ReadLivingRunnersAsync()).Order());
        await one.DisposeAsync();
        Assert.Equal([second], await two.ReadLivingRunnersAsync());
    }

    [Fact]
    public async Task Claim_OfADeadRunnersJobs_RaisesEpochAndCountsRestarts()
    {
        IJournalStorage one = Open();
        await using IJournalStorage two = Open();
        long first = await one.OpenRunnerAsync(), second = await two.OpenRunnerAsync();
        JobHead ended = Head(C, first) with { Ended = Start };
        await one.AppendAsync([Create(A, Head(A, first)), Create(B, Head(B, first)), Create(C, ended)]);
        await one.DisposeAsync();
        JobHead taken = Head(A, second) with { Epoch = 2, Restarts = 1 };
        Assert.Equal([taken, taken with { Id = B }], await two.ClaimAsync(second));
        Assert.Equal(taken, await two.FindAsync(A));
        Assert.Equal(ended, await two.FindAsync(C));
        Assert.Empty(await two.ClaimAsync(second));

        await using IJournalStorage three = Open();
        long third = await three.OpenRunnerAsync();
        await two.DisposeAsync();
        Assert.Equal([Head(A, third) with { Epoch = 3, Restarts = 2 }], await three.ClaimAsync(third, A));
        Assert.Equal(Head(B, second) with { Epoch = 2, Restarts = 1 }, await three.FindAsync(B));
        Assert.Empty(await three.ClaimAsync(third, C));
        Assert.Empty(await three.ClaimAsync(third, Unknown));
        await three.AppendAsync([HeadOnly(Head(A, third), 2, 3)]);
        Assert.Equal(Head(A, third) with { Epoch = 3 }, await three.FindAsync(A));
    }

    [Fact]
    public async Task Claim_OfAJobThatWasGivenAway_IsNoRestart()
    {
        await using IJournalStorage one = Open(), two = Open();
        long first = await one.OpenRunnerAsync(), second = await two.OpenRunnerAsync();
        await one.AppendAsync([Create(A, Head(A, first))]);
        await one.AppendAsync([HeadOnly(Head(A, 0), 2)]);
        Assert.Equal([Head(A, second) with { Epoch = 2 }], await two.ClaimAsync(second));
        Assert.Equal(AppendResult.Fenced, await OneAsync(one, Append(A, 2, "late")));
    }

    [Fact]
    public async Task Claim_ByARunnerOfAnotherStoreObject_Throws()
    {
        await using IJournalStorage one = Open(), two = Open();
        long first = await one.OpenRunnerAsync();
        var thrown = await Assert.ThrowsAsync<ArgumentException>(() => two.ClaimAsync(first));
        Assert.Contains($"Runner {first}", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Claim_ByManyAtOnce_GivesEachJobToOne()
    {
        IJournalStorage dead = Open();
        long runner = await dead.OpenRunnerAsync();
        await dead.AppendAsync([.. Enumerable.Range(0, 50).Select(i => JobId.Parse($"j{i}")).Select(job => Create(job, Head(job, runner)))]);
        IJournalStorage[] stores = [.. Enumerable.Range(0, 4).Select(_ => Open())];
        await dead.DisposeAsync();
        IReadOnlyList<JobHead>[] claimed = await Task.WhenAll(stores.Select((store, i) => Task.Run(async () =>
        {
            long mine = await store.OpenRunnerAsync();
            List<JobHead> all = [];
            for (int j = 0; j < 50; j++)
                all.AddRange(await store.ClaimAsync(mine, JobId.Parse($"j{(j + i * 12) % 50}")));
            return (IReadOnlyList<JobHead>)all;
        })));
        Assert.Equal(50, claimed.SelectMany(c => c).Select(h => h.Id).Distinct().Count());
        Assert.All(claimed.SelectMany(c => c), h => Assert.Equal(2, h.Epoch));
        Assert.Equal(50, claimed.Sum(c => c.Count));
        foreach (IJournalStorage store in stores)
            await store.DisposeAsync();
    }

    [Fact]
    public async Task Append_UnderAnOlderEpoch_IsFencedAndDoesNotFailOthers()
    {
        IJournalStorage one = Open();
        await using IJournalStorage late = Open(), two = Open();
        long first = await one.OpenRunnerAsync();
        await one.AppendAsync([Create(A, Head(A, first))]);
        // The late one knows the job as it was, as a runner does that a claim has overtaken.
        await late.AppendAsync([Append(A, 2, "x")]);
        await one.DisposeAsync();
        long second = await two.OpenRunnerAsync();
        await two.ClaimAsync(second);
        Assert.Equal([AppendResult.Fenced, AppendResult.Appended], await late.AppendAsync([Append(A, 3, "late", head: Head(A) with { Detail = "late" }), Create(B)]));
        Assert.Equal([AppendResult.Fenced], await late.AppendAsync([HeadOnly(Head(A, first), 3)]));
        Assert.Equal("1+1:made 2+1:x", await ReadAsync(two, A));
        Assert.Equal(Head(A, second) with { Epoch = 2, Restarts = 1 }, await two.FindAsync(A));
        Assert.Equal(AppendResult.Appended, await OneAsync(two, Append(A, 3, "y", epoch: 2)));
    }

    [Fact]
    public async Task Offer_LiesInTheInboxUntilTaken()
    {
        await using IJournalStorage store = Open(), other = Open();
        long runner = await store.OpenRunnerAsync();
        await store.AppendAsync([Create(A, Head(A, runner)), Create(B, Head(B, runner)), Create(C, Head(C, runner + 1))]);
        Assert.Equal(OfferResult.Accepted, await other.OfferAsync(A, new InboxItem(200, "s1", new byte[] { 1, 2 })));
        Assert.Equal(OfferResult.Accepted, await other.OfferAsync(B, new InboxItem(2, "s1", default)));
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(C, new InboxItem(2, null, default)));
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(A, new InboxItem(3, null, default)));
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(A, new InboxItem(3, null, default)));
        Assert.Equal(OfferResult.Duplicate, await store.OfferAsync(A, new InboxItem(9, "s1", default)));

        IReadOnlyList<InboxEntry> inbox = await store.ReadInboxAsync(runner);
        Assert.Equal([A, B, A, A], inbox.Select(e => e.Job));
        Assert.Equal((200, "s1", 2), (inbox[0].Item.Kind, inbox[0].Item.SenderId, inbox[0].Item.Payload.Span[1]));
        Assert.True(inbox[0].Number < inbox[2].Number && inbox[2].Number < inbox[3].Number);

        // Refused appends take nothing, and nobody takes what is another job's.
        Assert.Equal(AppendResult.Conflict, await OneAsync(store, Append(A, 9, "x", taken: inbox[0].Number)));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(B, 2, "x", taken: inbox[0].Number)));
        Assert.Equal(4, (await store.ReadInboxAsync(runner)).Count);
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(A, 2, "x", taken: [inbox[0].Number, inbox[3].Number])));
        Assert.Equal([inbox[1].Number, inbox[2].Number], (await store.ReadInboxAsync(runner)).Select(e => e.Number));
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(A, new InboxItem(9, "s1", default)));
        Assert.True((await store.ReadInboxAsync(runner))[^1].Number > inbox[3].Number);
        Assert.Single(await store.ReadInboxAsync(runner + 1));
        Assert.Empty(await store.ReadInboxAsync(runner + 2));
    }

    [Fact]
    public async Task Offer_ToNobodyOrTooLarge_IsRefused()
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Create(A, Head(A) with { Ended = Start }), Create(B)]);
        Assert.Equal(OfferResult.UnknownJob, await store.OfferAsync(Unknown, new InboxItem(1, null, default)));
        Assert.Equal(OfferResult.JobEnded, await store.OfferAsync(A, new InboxItem(1, null, default)));
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(B, new InboxItem(1, null, new byte[32 << 20])));
        var thrown = await Assert.ThrowsAsync<ArgumentException>(() => store.OfferAsync(B, new InboxItem(1, null, new byte[(32 << 20) + 1])));
        Assert.Contains("33554433", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offer_FollowsTheJobToItsNextRunner()
    {
        IJournalStorage one = Open();
        await using IJournalStorage two = Open();
        long first = await one.OpenRunnerAsync(), second = await two.OpenRunnerAsync();
        await one.AppendAsync([Create(A, Head(A, first))]);
        await two.OfferAsync(A, new InboxItem(1, null, default));
        await one.DisposeAsync();
        Assert.Empty(await two.ReadInboxAsync(second));
        await two.ClaimAsync(second);
        Assert.Single(await two.ReadInboxAsync(second));
    }

    [Fact]
    public async Task WaitForChange_AnotherHasWritten_IsDone()
    {
        await using IJournalStorage one = Open(), two = Open();
        await one.OpenRunnerAsync();
        await two.AppendAsync([Create(A)]);
        await one.WaitForChangeAsync(); // before the call
        for (int i = 0; i < 3; i++)
        {
            Task change = one.WaitForChangeAsync();
            await two.OfferAsync(A, new InboxItem(1, null, default));
            await change;
            Assert.Equal(i + 1, (await one.ReadInboxAsync(1)).Count);
        }
    }

    [Fact]
    public async Task WaitForChange_ARunnerHasEnded_IsDone()
    {
        IJournalStorage one = Open();
        await using IJournalStorage two = Open();
        long first = await one.OpenRunnerAsync(), second = await two.OpenRunnerAsync();
        await one.AppendAsync([Create(A, Head(A, first))]);
        await two.WaitForChangeAsync();
        await one.DisposeAsync();
        while ((await two.ClaimAsync(second)).Count == 0)
            await two.WaitForChangeAsync();
    }
}
