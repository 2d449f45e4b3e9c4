namespace Millstream.Tests.Journaling;

/// <summary>Reading, listing, removing.</summary>
public abstract partial class JournalStorageContract
{
    [Theory]
    [InlineData(-1, "1+3:x 4+1:y 5+2:z")]
    [InlineData(1, "1+3:x 4+1:y 5+2:z")]
    [InlineData(2, "1+3:x 4+1:y 5+2:z")]
    [InlineData(3, "1+3:x 4+1:y 5+2:z")]
    [InlineData(4, "4+1:y 5+2:z")]
    [InlineData(5, "5+2:z")]
    [InlineData(6, "5+2:z")]
    [InlineData(7, "")]
    [InlineData(long.MaxValue, "")]
    public async Task Read_BeginsWithTheRecordThatHoldsTheNumber(long from, string expected)
    {
        await using IJournalStorage store = Open();
        // Jobs before and after it, so that a wrong bound would show theirs.
        await store.AppendAsync([Create(B), Append(A, 1, "x", 3, head: Head(A)), Create(C)]);
        await store.AppendAsync([Append(A, 4, "y")]);
        await store.AppendAsync([Append(A, 5, "z", 2), Append(B, 2, "b"), Append(C, 2, "c")]);
        Assert.Equal(expected, await ReadAsync(store, A, from));
    }

    [Fact]
    public async Task Read_ManyRecords_GivesAllInOrder()
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Create(A), Create(B)]);
        for (int i = 2; i <= 700; i++)
            await store.AppendAsync([Append(A, i, "x")]);
        long next = 1;
        await foreach (JournalRecord record in store.ReadAsync(A, 1))
            Assert.Equal(next++, record.First);
        Assert.Equal(701, next);
    }

    [Fact]
    public async Task Read_JobRemovedOnTheWay_EndsAndNeverShowsItsSuccessor()
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Create(A)]);
        for (int i = 2; i <= 400; i++)
            await store.AppendAsync([Append(A, i, "old")]);
        await store.AppendAsync([HeadOnly(Head(A) with { Ended = Start }, 401)]);
        List<JournalRecord> seen = [];
        await foreach (JournalRecord record in store.ReadAsync(A, 1))
        {
            seen.Add(record);
            if (seen.Count > 1)
                continue;
            Assert.True(await store.RemoveAsync(A));
            await store.AppendAsync([Create(A, text: "new")]);
        }
        Assert.DoesNotContain(seen, r => r.Bytes.Span.SequenceEqual("new"u8));
        Assert.Equal("1+1:new", await ReadAsync(store, A));
    }

    [Fact]
    public async Task UnknownJob_IsEmptyEverywhere()
    {
        await using IJournalStorage store = Open();
        Assert.Null(await store.FindAsync(Unknown));
        Assert.Equal("", await ReadAsync(store, Unknown));
        Assert.Equal("", await ListAsync(store, new JobHeadFilter { Children = true }));
        Assert.False(await store.RemoveAsync(Unknown));
        Assert.Empty(await store.ReadInboxAsync(1));
    }

    [Fact]
    public async Task List_Filters()
    {
        await using IJournalStorage store = Open();
        JobId child = JobId.Parse("z/3");
        await store.AppendAsync(
        [
            Create(C, Head(C) with { AgentId = "other", Created = Start.AddHours(-1) }),
            Create(B, Head(B) with { Status = JobStatus.Failed, Ended = Start.AddHours(2) }),
            Create(child),
            Create(A, Head(A) with { Status = JobStatus.Waiting, Created = Start.AddHours(1) }),
        ]);
        Assert.Equal("c b a", await ListAsync(store, new JobHeadFilter()));
        Assert.Equal("c b z/3 a", await ListAsync(store, new JobHeadFilter { Children = true }));
        Assert.Equal("b", await ListAsync(store, new JobHeadFilter { Status = JobStatus.Failed }));
        Assert.Equal("c", await ListAsync(store, new JobHeadFilter { Status = JobStatus.Created }));
        Assert.Equal("c", await ListAsync(store, new JobHeadFilter { AgentId = "other" }));
        Assert.Equal("b a", await ListAsync(store, new JobHeadFilter { Since = Start }));
        Assert.Equal("b", await ListAsync(store, new JobHeadFilter { Ended = true }));
        Assert.Equal("c z/3 a", await ListAsync(store, new JobHeadFilter { Ended = false, Children = true }));
        Assert.Equal("z/3", await ListAsync(store, new JobHeadFilter { Ended = false, Children = true, AgentId = "agent", Status = JobStatus.Created }));
        Assert.Equal("", await ListAsync(store, new JobHeadFilter { Ended = true, AgentId = "other" }));
    }

    [Fact]
    public async Task List_ManyJobs_GivesAllInOrder()
    {
        await using IJournalStorage store = Open();
        JobId[] jobs = [.. Enumerable.Range(0, 2_500).Select(i => JobId.Parse($"j{(i * 7919) % 2_500}"))];
        foreach (JobId[] some in jobs.Chunk(1_000))
            await store.AppendAsync([.. some.Select(job => Create(job))]);
        Assert.Equal(string.Join(' ', jobs.Select(j => j.Value)), await ListAsync(store, new JobHeadFilter()));
    }

    [Fact]
    public async Task Remove_TakesAllOfAnEndedJob()
    {
        await using IJournalStorage store = Open(), other = Open();
        await store.AppendAsync([Create(A), Create(B)]);
        await store.AppendAsync([Append(A, 2, "x")]);
        await store.OfferAsync(A, new InboxItem(1, "s", default));
        await store.OfferAsync(B, new InboxItem(1, "s", default));
        Assert.False(await other.RemoveAsync(A));
        await store.AppendAsync([HeadOnly(Head(A) with { Ended = Start }, 3)]);
        Assert.True(await other.RemoveAsync(A));
        Assert.False(await store.RemoveAsync(A));
        Assert.Null(await store.FindAsync(A));
        Assert.Equal("", await ReadAsync(store, A));
        Assert.Equal(B, Assert.Single(await store.ReadInboxAsync(1)).Job);
        Assert.Equal("1+1:made", await ReadAsync(store, B));
        Assert.Equal(AppendResult.UnknownJob, await OneAsync(store, Append(A, 3, "y")));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Create(A, text: "again")));
        Assert.Equal("1+1:again", await ReadAsync(other, A));
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(A, new InboxItem(1, "s", default)));
    }
}
