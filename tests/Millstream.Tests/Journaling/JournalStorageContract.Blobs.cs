namespace Millstream.Tests.Journaling;

/// <content>What lies beside records.</content>
public abstract partial class JournalStorageContract
{
    private const string OneHash = "01", OtherHash = "02";

    private static JobAppend With(JobAppend append, params JournalBlob[] blobs) => append with { Blobs = blobs };

    private static async Task<string?> BlobAsync(IJournalStorage store, JobId job, string hash) =>
        await store.ReadBlobAsync(job, hash) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes.Span) : null;

    [Fact]
    public async Task Blobs_AreKeptWithTheirRecordAndOnceForEachJob()
    {
        await using IJournalStorage store = Open();
        Assert.Equal([AppendResult.Appended, AppendResult.Appended],
            await store.AppendAsync([With(Create(A), new(OneHash, "one"u8.ToArray()), new(OtherHash, "\0"u8.ToArray())), With(Create(B), new JournalBlob(OneHash, "b's"u8.ToArray()))]));
        // Whoever gives the same hash again gives the same bytes; that others are not looked at shows that nothing was stored.
        Assert.Equal(AppendResult.Appended, await OneAsync(store, With(Append(A, 2, "x"), new JournalBlob(OneHash, "again"u8.ToArray()), new("03", default))));
        Assert.Equal(("one", "\0", "", "b's", null), (await BlobAsync(store, A, OneHash), await BlobAsync(store, A, OtherHash), await BlobAsync(store, A, "03"), await BlobAsync(store, B, OneHash), await BlobAsync(store, B, OtherHash)));
        Assert.Null(await BlobAsync(store, Unknown, OneHash));
        await using IJournalStorage other = Open();
        Assert.Equal("one", await BlobAsync(other, A, OneHash));
    }

    [Fact]
    public async Task Blobs_OfARefusedAppend_AreNotStored()
    {
        await using IJournalStorage store = Open();
        await store.AppendAsync([Create(A), Create(B)]);
        JournalBlob blob = new(OneHash, "x"u8.ToArray());
        Assert.Equal([AppendResult.Conflict, AppendResult.Appended, AppendResult.UnknownJob], await store.AppendAsync([With(Append(A, 3, "x"), blob), With(Append(B, 2, "x"), blob), With(Append(C, 2, "x"), blob)]));
        Assert.Equal(AppendResult.Conflict, await OneAsync(store, With(Create(A), blob)));
        Assert.Equal((null, "x", null), (await BlobAsync(store, A, OneHash), await BlobAsync(store, B, OneHash), await BlobAsync(store, C, OneHash)));
        await Assert.ThrowsAsync<ArgumentException>(() => store.AppendAsync([With(HeadOnly(Head(A), 2), blob)]));
    }

    [Fact]
    public async Task Blobs_GoWithTheirJob()
    {
        await using IJournalStorage store = Open();
        JournalBlob blob = new(OneHash, "x"u8.ToArray());
        await store.AppendAsync([With(Create(A, Head(A) with { Ended = Start }), blob), With(Create(B), blob)]);
        Assert.True(await store.RemoveAsync(A));
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Create(A)));
        Assert.Equal((null, "x"), (await BlobAsync(store, A, OneHash), await BlobAsync(store, B, OneHash)));
    }

    [Fact]
    public async Task Blobs_LargerThanOneCallTogether_AreAllStored()
    {
        await using IJournalStorage store = Open();
        JobId[] jobs = [A, B, C];
        byte[] large = new byte[9 << 20];
        new Random(1).NextBytes(large);
        Assert.All(await store.AppendAsync([.. jobs.Select(j => With(Create(j), new JournalBlob(j.Value, large.AsMemory(j.Value[0]))))]), r => Assert.Equal(AppendResult.Appended, r));
        foreach (JobId job in jobs)
            Assert.True((await store.ReadBlobAsync(job, job.Value))!.Value.Span.SequenceEqual(large.AsSpan(job.Value[0])));
    }
}
