namespace Millstream.Sqlite.Tests;

/// <summary>Records that wait in one table for their places in the other: nobody may see that there are two.</summary>
public sealed class RecentRecordTests : SqliteTest
{
    private const int Jobs = 800;

    private static readonly JobId[] Ids = [.. Enumerable.Range(0, Jobs).Select(i => JobId.Parse($"j{i}"))];

    [Fact]
    public async Task Append_ManyJobs_StayWholeBeforeWhileAndAfterTheMove()
    {
        await using SqliteJournalStorage store = new(Journal), other = new(Journal);
        await store.AppendAsync([.. Ids.Select(id => Made(id))]);
        const int moved = SqliteAppender.MostRecent / Jobs;
        for (int n = 2; n <= moved + 2; n++)
        {
            bool hasMoved = n >= moved;
            await AllAsync(n % 2 == 0 ? store : other, n);
            if (n < moved - 1)
                continue;
            Assert.Equal(hasMoved ? n - moved : n, store.WriterSession.Number("SELECT count(*) FROM recent") / Jobs);
            foreach (IJournalStorage reads in (IJournalStorage[])[store, other])
            {
                Assert.Equal(Enumerable.Range(1, n).Select(i => (long)i), await NumbersAsync(reads, Ids[0], 1));
                Assert.Equal(Enumerable.Range(n - 2, 3).Select(i => (long)i), await NumbersAsync(reads, Ids[^1], n - 2));
            }
        }
        Assert.Equal([AppendResult.Appended], await store.AppendAsync([More(moved + 3) with { Job = Ids[5] }]));
        Assert.Equal([AppendResult.Conflict], await other.AppendAsync([More(moved + 3) with { Job = Ids[5] }]));
        Assert.Equal(Enumerable.Range(1, moved + 3).Select(i => (long)i), await NumbersAsync(other, Ids[5], 1));
    }

    [Fact]
    public async Task Read_LargeRecordBeforeTheOneAskedFor_IsNoEnd()
    {
        await using SqliteJournalStorage store = new(Journal);
        await store.AppendAsync([.. Ids.Select(id => Made(id))]);
        await store.AppendAsync([More(2, 3 << 20) with { Job = Ids[1] }]);
        await store.AppendAsync([.. Ids.Select(id => More(id == Ids[1] ? 3 : 2) with { Job = id })]);
        Assert.Equal([3], await NumbersAsync(store, Ids[1], 3));
        Assert.Equal([2, 3], await NumbersAsync(store, Ids[1], 2));
        Assert.Equal([], await NumbersAsync(store, Ids[1], 4));
    }

    [Fact]
    public async Task Reopened_RecentRecords_AreCounted()
    {
        await using (SqliteJournalStorage store = new(Journal))
        {
            await store.AppendAsync([.. Ids.Select(id => Made(id))]);
            await AllAsync(store, 2);
        }
        await using SqliteJournalStorage again = new(Journal);
        await AllAsync(again, 3);
        await again.AppendAsync([More(4) with { Job = Ids[0], Head = Made(Ids[0]).Head! with { Ended = DateTimeOffset.UnixEpoch } }]);
        Assert.True(await again.RemoveAsync(Ids[0]));
        Assert.Equal([AppendResult.Appended], await again.AppendAsync([Made(Ids[0])]));
        Assert.Equal([1], await NumbersAsync(again, Ids[0], 1));
    }

    private static async Task AllAsync(IJournalStorage store, int number) =>
        Assert.All(await store.AppendAsync([.. Ids.Select(id => More(number) with { Job = id })]), result => Assert.Equal(AppendResult.Appended, result));

    private static async Task<List<long>> NumbersAsync(IJournalStorage store, JobId job, long from)
    {
        List<long> numbers = [];
        await foreach (JournalRecord record in store.ReadAsync(job, from))
            numbers.Add(record.First);
        return numbers;
    }
}
