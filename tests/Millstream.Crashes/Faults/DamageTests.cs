using System.Globalization;
using System.Text.Json;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Faults;

/// <summary>A journal whose bytes have changed, or that a newer version wrote: damage is named, and what is whole goes on.</summary>
public sealed class DamageTests : IAsyncLifetime
{
    private const int Jobs = 5;

    private readonly string _folder = FastFolder.Make();

    private string Journal => Path.Combine(_folder, "journal.db");

    public async ValueTask InitializeAsync()
    {
        await using IJournalStorage store = Runtime.Open(Journal);
        await using AgentOrchestrator orchestrator = Runtime.Make(store);
        await orchestrator.StartAsync();
        for (int i = 0; i < Jobs; i++)
        {
            Job job = await orchestrator.CreateJobAsync("plan", JsonSerializer.SerializeToElement($"in {i}"), new JobOptions { Id = Runtime.Id(i) });
            await foreach (JobEvent e in job.EventsAsync())
            {
                if (e.Kind == JobEventKinds.QuestionAsked)
                    break;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task File_BitsFlipped_IsNamedOrShowsWhatWasWritten()
    {
        byte[] whole = await File.ReadAllBytesAsync(Journal);
        Dictionary<JobId, List<string>> before = [];
        await using (IJournalStorage store = Runtime.Open(Journal))
        {
            await foreach (JobHead head in store.ListAsync(new JobHeadFilter()))
                before[head.Id] = Shown(await Recovery.ReadAsync(store, head, 1, default));
        }
        Random random = new(1);
        int named = 0, same = 0, hidden = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. whole];
            int at = random.Next(damaged.Length);
            damaged[at] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(Journal, damaged);
            File.Delete(Journal + "-wal");
            try
            {
                await using IJournalStorage store = Runtime.Open(Journal);
                foreach (JobId id in before.Keys)
                {
                    try
                    {
                        if (await store.FindAsync(id) is not { } head)
                            continue;
                        List<string> shown = Shown(await Recovery.ReadAsync(store, head, 1, default));
                        // A bit in the count of a page's rows can hide a job's last ones: what is left is unchanged and without a gap, and a chain cannot know of more.
                        Assert.Equal(before[id].Take(shown.Count), shown);
                        if (shown.Count == before[id].Count)
                            same++;
                        else
                            hidden++;
                    }
                    catch (JournalDamagedException e)
                    {
                        Assert.Contains(id.Value, e.Message, StringComparison.Ordinal);
                        named++;
                    }
                }
            }
            catch (JournalStorageException e)
            {
                Assert.Contains(Journal, e.Message, StringComparison.Ordinal);
                named++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"bit flipped in byte {at}"), e);
            }
        }
        Assert.True(named > 50 && same > 500 && hidden < 15, $"{named} named, {same} whole, {hidden} with their last records hidden");
    }

    [Theory]
    [InlineData("X'09' || substr(bytes, 2)", "has format 9")]
    [InlineData("substr(bytes, 1, length(bytes) - 1) || X'7E'", "does not follow from the one before")]
    [InlineData("X'01'", "too short for a record")]
    public async Task Job_OneRecordIsNotReadable_TheOthersGoOn(string bytes, string word)
    {
        JobId bad = Runtime.Id(2);
        await using (SqliteJournalStorage store = new(Journal))
            store.WriterSession.Run($"UPDATE records SET bytes = CAST({bytes} AS BLOB) WHERE place = (SELECT min(place) FROM records WHERE place >= (SELECT key << 32 FROM jobs WHERE id = '{bad}'))");
        await using IJournalStorage opened = Runtime.Open(Journal);
        JournalDamagedException e = await Assert.ThrowsAsync<JournalDamagedException>(async () => await Recovery.ReadAsync(opened, (await opened.FindAsync(bad))!, 1, default));
        Assert.Contains(word, e.Message, StringComparison.Ordinal);
        Assert.Contains(bad.Value, e.Message, StringComparison.Ordinal);
        // Who only shows it, too.
        Assert.Equal(e.Message, (await Assert.ThrowsAsync<JournalDamagedException>(async () => await new StoredReader(opened, bad, null).ReadAsync(1, default))).Message);
        await using AgentOrchestrator orchestrator = Runtime.Make(opened);
        await orchestrator.StartAsync();
        foreach (int good in Enumerable.Range(0, Jobs).Where(i => Runtime.Id(i) != bad))
        {
            Job job = (await orchestrator.GetJobAsync(Runtime.Id(good)))!;
            await Teller.TellAsync(job, _ => { });
            Assert.IsType<JobEnding.Completed>(await job.Ending);
        }
    }

    [Fact]
    public async Task Jobs_TwoProcessesStartAtOnce_EachRunsInOne()
    {
        System.Collections.Concurrent.ConcurrentDictionary<string, int> ran = new();
        await using IJournalStorage one = Runtime.Open(Journal), two = Runtime.Open(Journal);
        await using AgentOrchestrator first = Runtime.Make(one, Count), second = Runtime.Make(two, Count);
        await Task.WhenAll(Task.Run(() => first.StartAsync()), Task.Run(() => second.StartAsync()));
        for (int i = 0; i < Jobs; i++)
        {
            Job job = (await second.GetJobAsync(Runtime.Id(i)))!;
            await Teller.TellAsync(job, _ => { });
            Assert.IsType<JobEnding.Completed>(await job.Ending);
        }
        // "last" is the one task that was left; nothing else ran, and it ran in one of the two.
        Assert.All(ran, r => Assert.Equal(1, r.Value));
        Assert.Equal(Jobs, ran.Count);

        void Count(string key, int attempt) => ran.AddOrUpdate($"{key} {attempt}", 1, (_, n) => n + 1);
    }

    private static List<string> Shown(RecoveredJob job) => [.. job.Entries.Where(e => e.Payload is not ChildPointer).Select(e => new EntryEvent(job.State.Head.Id, e, e.Number).ToJson())];
}
