namespace Millstream;

/// <summary>Checkpointed steps in memory, beside LangGraph's with its saver in memory. Ours are journalled in memory as bytes, with the store's own contract.</summary>
internal static class LangGraphPeer
{
    private const string Name = "LangGraph JS 1.7.3";

    public static PeerGroup Group()
    {
        Lazy<Task<NodePeer>> peer = new(() => NodePeer.StartAsync("langgraph.js"));
        return new PeerGroup(Line("one job in memory, a step", 1, 300), Line("200 jobs in memory, a step", 200, 10))
        {
            Missing = NodePeer.Missing,
            EndAsync = async () =>
            {
                if (peer.IsValueCreated)
                    (await peer.Value).Dispose();
            },
        };

        PeerLine Line(string name, int jobs, int steps) => new(name, Name, new PeerRun($"ours, {name}", () => DurableBench.StepsAsync(new MemoryJournalStorage(), jobs, steps)),
            new PeerRun($"theirs, {name}", async () => await (await peer.Value).AskAsync(jobs, steps)), "us");
    }
}
