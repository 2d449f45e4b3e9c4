namespace Millstream.Crashes.Golden;

/// <summary><c>./crashes golden FOLDER</c>: writes the journals of all stories that the folder does not have yet. What is there is never written again.</summary>
internal static class GoldenMaker
{
    public static async Task<int> RunAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (GoldenStory story in GoldenStories.All.Where(s => !File.Exists(Path.Combine(folder, $"{s.Name}.journal"))))
        {
            (GoldenFile file, List<string> lines) = await TellAsync(story);
            file.Write(Path.Combine(folder, $"{story.Name}.journal"));
            await File.WriteAllTextAsync(Path.Combine(folder, $"{story.Name}.jsonl"), string.Join('\n', lines) + "\n");
            Console.Out.WriteLine($"{story.Name}: {lines.Count} entries");
        }
        return 0;
    }

    /// <summary>Lets a story happen, and gives what a store has of it then.</summary>
    private static async Task<(GoldenFile File, List<string> Lines)> TellAsync(GoldenStory story)
    {
        GoldenWorld world = GoldenParts.World = new GoldenWorld();
        MemoryJournalStorage store = new();
        JobId id = JobId.Parse(story.Name);
        JobId first = story.ForkedAt is null ? id : JobId.Parse($"before-{id}");
        if (story.Before is { } before)
        {
            await LiveAsync(store, story.Registry(), async orchestrator => await before(await orchestrator.CreateJobAsync(story.Agent.Id, story.Input, new JobOptions { Id = first })));
            store = store.Reopen();
        }
        foreach (InboxItem item in story.Offers)
            await store.OfferAsync(id, item);
        await LiveAsync(store, story.Registry(), async orchestrator => await story.Drive(world, story.ForkedAt is { } at
            ? await orchestrator.ForkJobAsync(first, at, new JobOptions { Id = id })
            : await orchestrator.CreateJobAsync(story.Agent.Id, story.Input, new JobOptions { Id = id })));
        if (story.Changed is { } changed)
        {
            store = store.Reopen();
            await LiveAsync(store, story.Registry(changed), _ => Task.CompletedTask);
        }
        MemoryJournalStorage seen = store.Reopen();
        long runner = await seen.OpenRunnerAsync();
        GoldenFile file = await GoldenFile.OfAsync(seen, id, (await seen.FindAsync(id))!.Runner is var last and > 0 ? last : runner);
        return (file, await GoldenJob.LinesAsync(seen, (await seen.FindAsync(id))!));
    }

    private static async Task LiveAsync(MemoryJournalStorage store, AgentRegistry agents, Func<AgentOrchestrator, Task> live)
    {
        await using (store)
        await using (AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = store, Agents = agents, GracePeriod = TimeSpan.FromMilliseconds(100) }))
        {
            await orchestrator.StartAsync();
            await live(orchestrator);
        }
    }
}
