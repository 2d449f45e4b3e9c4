namespace Millstream.PostgreSql.Tests;

/// <summary>Texts and sizes that PostgreSQL does not take as they are.</summary>
public sealed class TextTests : PostgreSqlTest
{
    [Fact]
    public async Task Head_WithTextsThatPostgreSqlRefuses_IsStored()
    {
        await using PostgreSqlJournalStorage store = Open();
        JobHead head = Head(Job) with { Detail = "a\0b\uD800c\U0001F600", Tenant = "t\0" };
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([Made(Job) with { Head = head }]));
        Assert.Equal(head with { Detail = "a\uFFFDb\uFFFDc\U0001F600", Tenant = "t\uFFFD" }, await store.FindAsync(Job));
    }

    [Fact]
    public async Task Offer_WithAnySendersId_IsStoredOnce()
    {
        await using PostgreSqlJournalStorage store = Open();
        await store.AppendAsync([Made(Job, 7)]);
        // No index takes a text of 10,000 characters as it is.
        string[] ids = ["a\0b", "a", "", new string('x', 10_000) + Guid.NewGuid(), new string('x', 10_000) + Guid.NewGuid()];
        foreach (string id in ids)
        {
            Assert.Equal(OfferResult.Accepted, await store.OfferAsync(Job, new InboxItem(1, id, default)));
            Assert.Equal(OfferResult.Duplicate, await store.OfferAsync(Job, new InboxItem(1, id, default)));
        }
        Assert.Equal(ids, (await store.ReadInboxAsync(7)).Select(e => e.Item.SenderId));
    }

    [Fact]
    public async Task Append_OfMoreThanOneCallTakes_IsOneTransaction()
    {
        await using PostgreSqlJournalStorage store = Open();
        JobId[] jobs = [.. Enumerable.Range(0, 3).Select(i => JobId.Parse($"j{i}"))];
        JobAppend[] batch = [.. jobs.Select(j => Made(j) with { Record = new JournalRecord(1, 1, new byte[9 << 20]) })];
        Assert.Equal([AppendResult.Appended, AppendResult.Appended, AppendResult.Appended], await store.AppendAsync(batch));
        Assert.Equal([AppendResult.Conflict, AppendResult.Conflict, AppendResult.Conflict], await store.AppendAsync(batch));
        await foreach (JournalRecord record in store.ReadAsync(jobs[2], 1))
            Assert.Equal(9 << 20, record.Bytes.Length);
        Assert.Equal(1L, await SqlAsync($"SELECT count(DISTINCT xmin::text) FROM {Schema}.jobs"));
    }
}
