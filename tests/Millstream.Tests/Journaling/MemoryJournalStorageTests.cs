namespace Millstream.Tests.Journaling;

public sealed class MemoryJournalStorageTests : JournalStorageContract
{
    private MemoryJournalStorage? _first;

    protected override IJournalStorage Open() => _first is null ? _first = new MemoryJournalStorage() : _first.Reopen();

    [Fact]
    public async Task Append_OverTheBound_ThrowsNamingItAndStoresNothing()
    {
        await using MemoryJournalStorage store = new(10_000);
        await store.AppendAsync([Create(A), Create(B)]);
        var thrown = await Assert.ThrowsAsync<JournalStorageException>(() => store.AppendAsync([Append(A, 2, "small"), Append(B, 2, new string('x', 10_000))]));
        Assert.Contains("maxBytes is 10000", thrown.Message, StringComparison.Ordinal);
        Assert.Equal("1+1:made", await ReadAsync(store, A));
        Assert.Contains("maxBytes", (await Assert.ThrowsAsync<JournalStorageException>(() => store.OfferAsync(A, new InboxItem(1, null, new byte[10_000])))).Message, StringComparison.Ordinal);
        Assert.Equal(AppendResult.Appended, await OneAsync(store, Append(A, 2, "small")));
    }

    [Fact]
    public async Task Remove_AndTaken_GiveTheirRoomBack()
    {
        await using MemoryJournalStorage store = new(10_000);
        for (int i = 0; i < 20; i++)
        {
            await store.AppendAsync([Append(A, 1, new string('x', 3_000), head: Head(A))]);
            for (int k = 0; k < 5; k++)
            {
                await store.OfferAsync(A, new InboxItem(1, "s", new byte[4_000]));
                await store.AppendAsync([Append(A, k + 2, "x", taken: Assert.Single(await store.ReadInboxAsync(1)).Number)]);
            }
            await store.OfferAsync(A, new InboxItem(1, "s", new byte[4_000]));
            await store.AppendAsync([HeadOnly(Head(A) with { Ended = Start }, 7)]);
            Assert.True(await store.RemoveAsync(A));
        }
    }

    [Fact]
    public void Constructor_WithoutRoom_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryJournalStorage(0));
}
