using System.Text;

namespace Millstream.Tests.Journaling;

/// <summary>What every store must do. One test class for each store inherits it.</summary>
public abstract partial class JournalStorageContract
{
    protected static readonly JobId A = JobId.Parse("a"), B = JobId.Parse("b"), C = JobId.Parse("c"), Unknown = JobId.Parse("unknown");

    protected static readonly DateTimeOffset Start = new(2026, 11, 25, 12, 0, 0, TimeSpan.FromHours(1));

    /// <summary>A store object on the journals of this test, as another process would have it. The first call makes them.</summary>
    protected abstract IJournalStorage Open();

    protected static JobHead Head(JobId job, long runner = 1) => new() { Id = job, AgentId = "agent", AgentVersion = "1", Created = Start, Runner = runner };

    protected static JobAppend Append(JobId job, long first, string text, int count = 1, long epoch = 1, JobHead? head = null, params long[] taken) =>
        new() { Job = job, Epoch = epoch, Record = new JournalRecord(first, count, Encoding.UTF8.GetBytes(text)), Head = head, Taken = taken };

    protected static JobAppend Create(JobId job, JobHead? head = null, string text = "made") => Append(job, 1, text, head: head ?? Head(job));

    protected static JobAppend HeadOnly(JobHead head, long next, long epoch = 1) => new() { Job = head.Id, Epoch = epoch, Record = new JournalRecord(next, 0, default), Head = head };

    protected static async Task<AppendResult> OneAsync(IJournalStorage store, JobAppend append) => Assert.Single(await store.AppendAsync([append]));

    protected static async Task<string> ReadAsync(IJournalStorage store, JobId job, long from = 1)
    {
        List<string> records = [];
        await foreach (JournalRecord record in store.ReadAsync(job, from))
            records.Add($"{record.First}+{record.Count}:{Encoding.UTF8.GetString(record.Bytes.Span)}");
        return string.Join(' ', records);
    }

    protected static async Task<string> ListAsync(IJournalStorage store, JobHeadFilter filter)
    {
        List<string> ids = [];
        await foreach (JobHead head in store.ListAsync(filter))
            ids.Add(head.Id.Value);
        return string.Join(' ', ids);
    }

    [Fact]
    public async Task Location_SaysWhereItIs()
    {
        await using IJournalStorage store = Open();
        Assert.NotEmpty(store.Location);
    }

    [Fact]
    public async Task Append_OfANewJob_KeepsRecordAndHead()
    {
        await using IJournalStorage store = Open();
        JobHead head = new()
        {
            Id = A, AgentId = "agent", AgentVersion = "1.2", Status = JobStatus.Waiting, Detail = "q1", Tenant = "t", Priority = -3, Weight = 0.1,
            Created = Start, Deadline = Start.AddDays(1), Ended = null, Due = Start.AddTicks(1), Runner = 7, Restarts = 2, Epoch = 99,
            Name = "n", IsIdle = true, Checkpoint = 1L << 33,
        };
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(A, 1, "é\0x", 3, head: head)));
        Assert.Equal("1+3:é\0x", await ReadAsync(store, A));
        Assert.Equal(head with { Epoch = 1 }, await store.FindAsync(A));
        JobHead least = Head(B, 0);
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Create(B, least)));
        Assert.Equal(least, await store.FindAsync(B));
    }

    [Fact]
    public async Task Append_OfEmptyAndLargeRecords_KeepsTheirBytes()
    {
        await using IJournalStorage store = Open();
        byte[] large = new byte[3 << 20];
        new Random(1).NextBytes(large);
        await OneAsync(store, Create(A, text: ""));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, new JobAppend { Job = A, Epoch = 1, Record = new JournalRecord(2, 1_000_000, large.AsMemory(1, large.Length - 2)) }));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(A, 1_000_002, "z")));
        List<JournalRecord> records = [];
        await foreach (JournalRecord record in store.ReadAsync(A, 1))
            records.Add(record);
        Assert.Equal([1, 2, 1_000_002], records.Select(r => r.First));
        Assert.Equal(0, records[0].Bytes.Length);
        Assert.True(records[1].Bytes.Span.SequenceEqual(large.AsSpan(1, large.Length - 2)));
    }

    [Fact]
    public async Task Append_DoneAndBufferUsedAgain_KeepsWhatWasGiven()
    {
        await using IJournalStorage store = Open();
        byte[] buffer = [65];
        await OneAsync(store, new JobAppend { Job = A, Epoch = 1, Record = new JournalRecord(1, 1, buffer), Head = Head(A) });
        await store.OfferAsync(A, new InboxItem(1, null, buffer));
        buffer[0] = 66;
        Assert.Equal("1+1:A", await ReadAsync(store, A));
        Assert.Equal(65, Assert.Single(await store.ReadInboxAsync(1)).Item.Payload.Span[0]);
    }

    [Theory]
    [InlineData(3, 1, AppendResult.Conflict)] // already there
    [InlineData(5, 1, AppendResult.Conflict)] // leaves a gap
    [InlineData(1, 1, AppendResult.Conflict)] // creates what exists
    [InlineData(4, 2, AppendResult.Conflict)] // an epoch that nobody was given
    [InlineData(4, 1, AppendResult.Appended)]
    public async Task Append_ChecksNumberAndEpoch(long first, long epoch, AppendResult result)
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Append(A, 1, "x", 3, head: Head(A))]);
        JobHead other = Head(A) with { Detail = "other" };
        Assert.Equal(result, await OneAsync(store, Append(A, first, "y", 1, epoch, other)));
        Assert.Equal(result == AppendResult.Appended ? "1+3:x 4+1:y" : "1+3:x", await ReadAsync(store, A));
        Assert.Equal(result == AppendResult.Appended ? "other" : null, (await store.FindAsync(A))!.Detail);
    }

    [Fact]
    public async Task Append_ToAnUnknownJob_IsRefused()
    {
        await using IJournalStorage store = Open();
        Assert.Equal(AppendResult.UnknownJob, await OneAsync(store, Append(A, 2, "x")));
        Assert.Equal(AppendResult.UnknownJob, await OneAsync(store, Append(A, 1, "x", epoch: 2, head: Head(A))));
        Assert.Equal(AppendResult.UnknownJob, await OneAsync(store, HeadOnly(Head(A), 1)));
        Assert.Null(await store.FindAsync(A));
    }

    [Fact]
    public async Task Append_OneRefused_OthersAreAccepted()
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Create(A), Create(B)]);
        Assert.Equal(
            [AppendResult.Conflict, AppendResult.Appended, AppendResult.UnknownJob, AppendResult.Appended],
            await store.AppendAsync([Append(A, 9, "no"), Append(B, 2, "yes"), Append(Unknown, 2, "no"), Create(C)]));
        Assert.Equal("1+1:made", await ReadAsync(store, A));
        Assert.Equal("1+1:made 2+1:yes", await ReadAsync(store, B));
        Assert.Equal("a b c", await ListAsync(store, new JobHeadFilter()));
        Assert.Empty(await store.AppendAsync([]));
    }

    [Fact]
    public async Task Append_OfAHeadOnly_ReplacesItAndNothingElse()
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Create(A)]);
        JobHead head = Head(A, 0) with { Status = JobStatus.Completed, Ended = Start.AddHours(1), Epoch = 5, Restarts = 3 };
        Assert.Equal(AppendResult.Conflict, await OneAsync(store, HeadOnly(head, 3)));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, HeadOnly(head, 2)));
        Assert.Equal(head with { Epoch = 1 }, await store.FindAsync(A));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(A, 2, "x")));
        Assert.Equal(head with { Epoch = 1 }, await store.FindAsync(A));
        Assert.Equal("1+1:made 2+1:x", await ReadAsync(store, A));
    }

    [Fact]
    public async Task Append_OfAWrongBatch_ThrowsAndStoresNothing()
    {
        await using IJournalStorage store = Open();
        JobAppend[] wrong =
        [
            Create(A), Append(B, 0, "x"), Append(B, 1, "x", -1), Append(B, 1, "x", 0), Append(B, 1, "x", epoch: 0), Append(B, 1, "no head"), Create(B, Head(A)),
        ];
        foreach (JobAppend second in wrong)
        {
            var thrown = await Assert.ThrowsAnyAsync<ArgumentException>(() => store.AppendAsync([Create(A), second]));
            Assert.Contains($"job {second.Job} ", thrown.Message, StringComparison.Ordinal);
        }
        Assert.Equal("", await ListAsync(store, new JobHeadFilter()));
    }

    [Fact]
    public async Task Append_OfOneJobByManyAtOnce_GivesOneEachNumber()
    {
        await using IJournalStorage store = Open(), other = Open();
        await store.AppendAsync([Create(A)]);
        int[] appended = new int[8];
        await Task.WhenAll(Enumerable.Range(0, appended.Length).Select(i => Task.Run(async () =>
        {
            for (long next = 2; next <= 21;)
            {
                AppendResult result = await OneAsync(i % 2 == 0 ? store : other, Append(A, next, $"{i}"));
                Assert.True(result is AppendResult.Appended or AppendResult.Conflict);
                appended[i] += result == AppendResult.Appended ? 1 : 0;
                next++;
            }
        })));
        Assert.Equal(20, appended.Sum());
        string[] records = (await ReadAsync(store, A)).Split(' ');
        Assert.Equal(Enumerable.Range(1, 21).Select(n => $"{n}+1"), records.Select(r => r.Split(':')[0]));
    }

    [Fact]
    public async Task Append_OfManyJobsWhileManyRead_ReadersSeePrefixes()
    {
        await using IJournalStorage store = Open(), other = Open();
        JobId[] jobs = [.. Enumerable.Range(0, 6).Select(i => JobId.Parse($"j{i}"))];
        Task[] writers = [.. jobs.Select((job, i) => Task.Run(async () =>
        {
            Assert.Equal(AppendResult.Appended, await OneAsync(i % 2 == 0 ? store : other, Create(job)));
            for (int n = 2; n <= 40; n++)
                Assert.Equal(AppendResult.Appended, await OneAsync(i % 2 == 0 ? store : other, Append(job, n, "x")));
        }))];
        await Task.WhenAll(jobs.Select((job, i) => Task.Run(async () =>
        {
            IJournalStorage reads = i % 3 == 0 ? store : other;
            for (long next = 1; next <= 40;)
            {
                await foreach (JournalRecord record in reads.ReadAsync(job, next))
                    Assert.Equal(next++, record.First);
                await Task.Yield();
            }
        })).Concat(writers));
        Assert.Equal(6, (await ListAsync(store, new JobHeadFilter())).Split(' ').Length);
    }

    [Fact]
    public async Task Reopened_EverythingIsThere()
    {
        JobHead head = Head(A) with { Detail = "d" };
        await using (IJournalStorage first = Open())
        {
            await first.OpenRunnerAsync();
            await first.AppendAsync([Create(A, head), Create(B)]);
            await first.AppendAsync([Append(A, 2, "x", 2)]);
            await first.OfferAsync(A, new InboxItem(3, "s", new byte[] { 1 }));
        }
        await using IJournalStorage store = Open();
        Assert.Equal(head, await store.FindAsync(A));
        Assert.Equal("1+1:made 2+2:x", await ReadAsync(store, A));
        Assert.Equal("a b", await ListAsync(store, new JobHeadFilter()));
        Assert.Equal("s", Assert.Single(await store.ReadInboxAsync(1)).Item.SenderId);
        Assert.Equal(2, await store.OpenRunnerAsync());
        Assert.Equal(AppendResult.Conflict, await OneAsync(store, Append(A, 3, "y")));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(A, 4, "y")));
    }

    [Fact]
    public async Task Disposed_EveryCallThrows()
    {
        IJournalStorage store = Open();
        long runner = await store.OpenRunnerAsync();
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.AppendAsync([Create(A)]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.FindAsync(A));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.OfferAsync(A, new InboxItem(1, null, default)));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.ReadInboxAsync(runner));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAsync(store, A));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.WaitForChangeAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.OpenRunnerAsync());
    }

    [Fact]
    public async Task Cancelled_EveryCallEndsAndStoresNothing()
    {
        await using IJournalStorage store = Open();
        CancellationToken token = new(true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.AppendAsync([Create(A)], token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.OfferAsync(A, new InboxItem(1, null, default), token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.FindAsync(A, token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.OpenRunnerAsync(token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.WaitForChangeAsync(token));
        Assert.Null(await store.FindAsync(A));
    }
}
