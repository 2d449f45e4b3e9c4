namespace Millstream.Crashes.Golden;

/// <summary>Journals that earlier versions wrote: each later one reads them, shows them byte for byte and goes on with those that are open.</summary>
public sealed class GoldenJournalTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Golden");

    public static TheoryData<string, string> Files => new(Directory.GetDirectories(Folder, "v*").SelectMany(v => Directory.GetFiles(v, "*.journal")
        .Select(f => (Path.GetFileName(v), Path.GetFileNameWithoutExtension(f)))).Order());

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Stream_IsShownAsItWas(string version, string name)
    {
        await using MemoryJournalStorage store = await Read(version, name).StoreAsync();
        Assert.Equal(Lines(version, name), await GoldenJob.LinesAsync(store, (await store.FindAsync(JobId.Parse(name)))!));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task OpenJob_GoesOnAndEnds(string version, string name)
    {
        GoldenStory story = GoldenStories.All.Single(s => s.Name == name);
        MemoryJournalStorage store = await Read(version, name).StoreAsync();
        GoldenWorld world = GoldenParts.World = new GoldenWorld { IsOpen = true };
        await using (store)
        await using (AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = store, Agents = story.Registry(), GracePeriod = TimeSpan.FromMilliseconds(100) }))
        {
            await orchestrator.StartAsync();
            Job job = (await orchestrator.GetJobAsync(JobId.Parse(name)))!;
            if (story.Finish is { } finish)
            {
                await finish(world, job);
                foreach (JobEvent child in await AskedAsync(job))
                    await (await orchestrator.GetJobAsync(child.Job))!.ReplyAsync(child.Question!, true);
                Assert.IsType<JobEnding.Completed>(await job.Ending);
            }
        }
        await using MemoryJournalStorage seen = store.Reopen();
        List<string> lines = await GoldenJob.LinesAsync(seen, (await seen.FindAsync(JobId.Parse(name)))!);
        string[] before = Lines(version, name);
        Assert.Equal(before, lines.Take(before.Length));
        if (story.Output is { } output)
            Assert.True(lines[^1].Contains($"\"kind\":\"job.completed\",\"job\":\"{name}\",\"output\":{output}", StringComparison.Ordinal), lines[^1]);
        else
            Assert.Equal(before.Length, lines.Count);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Records_WrittenAgain_AreTheSameBytes(string version, string name)
    {
        GoldenFile file = Read(version, name);
        foreach ((JobHead head, IReadOnlyList<JournalRecord> records, _) in file.Jobs)
        {
            Chain chain = Chain.Start(head.Id);
            foreach (JournalRecord record in records)
            {
                // The first journals had large payloads in their records.
                EntryWriter writer = new(record.Bytes.Span[0] == EntryWriter.BesideVersion ? EntryWriter.MaxInline : int.MaxValue);
                List<JournalEntry> entries = EntryReader.Read(head.Id, record, chain, out Chain after, Beside.Of(file.Blobs.GetValueOrDefault(head.Id) ?? []));
                foreach (JournalEntry entry in entries)
                    writer.Write(entry);
                Memory<byte> bytes = writer.Take(out _);
                chain = chain.Next(bytes.Span[EntryWriter.HeaderSize..]);
                chain.WriteTo(bytes.Span[1..]);
                // A later version may write another form; then the old one is read only.
                if (version == FormattableString.Invariant($"v{EntryWriter.Version}"))
                    Assert.Equal(Convert.ToBase64String(record.Bytes.Span), Convert.ToBase64String(bytes.Span));
                chain = after;
            }
        }
    }

    [Fact]
    public void Stories_OfThisVersion_AreAllThereWithEveryKind()
    {
        string version = FormattableString.Invariant($"v{EntryWriter.Version}");
        const string remedy = "`./crashes golden tests/Millstream.Crashes/Golden/";
        string[] missing = [.. GoldenStories.All.Select(s => s.Name).Where(n => !File.Exists(Path.Combine(Folder, version, $"{n}.journal")))];
        Assert.True(missing.Length == 0, $"no golden journal for {string.Join(", ", missing)}; {remedy}{version}` makes it");
        HashSet<EntryKind> kinds = [.. GoldenStories.All.SelectMany(s => Read(version, s.Name) is var file ? file.Jobs.Select(j => (j, file.Blobs)) : []).SelectMany(f => f.j.Records.SelectMany(r => EntryReader.Read(f.j.Head.Id, r, null, out _, Beside.Of(f.Blobs.GetValueOrDefault(f.j.Head.Id) ?? [])))).Select(e => e.Kind)];
        // Only journals in memory are trimmed.
        EntryKind[] untold = [.. Enum.GetValues<EntryKind>().Except(kinds).Where(k => k != EntryKind.Trimmed)];
        Assert.True(untold.Length == 0, $"no story has {string.Join(", ", untold)}: add one to GoldenStories, then {remedy}{version}` makes its files and leaves the others");
    }

    /// <summary>The questions that children ask.</summary>
    private static async Task<List<JobEvent>> AskedAsync(Job job)
    {
        List<JobEvent> asked = [];
        if (job.Id.Value != "open-waiting")
            return asked;
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (e.Kind != JobEventKinds.QuestionAsked || !e.Job.IsChild)
                continue;
            asked.Add(e);
            break;
        }
        return asked;
    }

    private static GoldenFile Read(string version, string name) => GoldenFile.Read(Path.Combine(Folder, version, $"{name}.journal"));

    private static string[] Lines(string version, string name) => File.ReadAllLines(Path.Combine(Folder, version, $"{name}.jsonl"));
}
