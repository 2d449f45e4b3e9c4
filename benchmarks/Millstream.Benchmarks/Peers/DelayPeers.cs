namespace Millstream;

/// <summary>Chains of tasks that wait, beside each other: what is lost where all wait for the slowest of a step.</summary>
internal static class DelayPeers
{
    private const string Af = "Agent Framework Workflows 1.28.0", Critical = "critical path";

    public static IEnumerable<PeerGroup> Groups()
    {
        // What is long in one is short in the other; each takes 550 ms, and steps in step 1,000.
        int[] odd = [.. Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? 100 : 10)], even = [.. odd.Reverse()];
        yield return Group("two uneven chains", [odd, even], 1 / 1.05);
        yield return Group("32 chains of 8, log-normal delays", LogNormal(new Random(1)), null);
    }

    private static PeerGroup Group(string name, int[][] chains, double? atLeast)
    {
        int sum = chains.Sum(c => c.Sum()), path = chains.Max(c => c.Sum());
        Workflow<int, int> workflow = Workflow.Define<int, int>("delays", "1", w => w.All([.. chains.Select((chain, c) =>
        {
            Node<int> node = w.Input;
            for (int i = 0; i < chain.Length; i++)
                node = w.Task($"t{c}-{i}", Wait(chain[i]), node);
            return node;
        })]).Select(all => all.Sum()));
        AgentFrameworkPeer framework = AgentFrameworkPeer.Delays(chains);
        PeerRun ours = Timed("ours", () => InMemoryPeers.JobAsync(workflow.Agent, 0));
        return new PeerGroup(
            new PeerLine(name, Af, ours, Timed(Af, () => framework.RunAsync(0)), "ms"),
            new PeerLine(name, Critical, ours, new PeerRun(Critical, () => Task.FromResult((double)path)), "ms", atLeast))
        {
            WarmUp = default,
            Least = default,
        };

        PeerRun Timed(string run, Func<Task<int>> work) => InMemoryPeers.Timed(run, 1_000, sum, work);
    }

    private static AgentTask<int, int> Wait(int milliseconds) => AgentTask.Create<int, int>("wait", async (value, context) =>
    {
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), context.Time, context.CancellationToken);
        return value + milliseconds;
    });

    /// <summary>A median of 20 ms, and one in six above 45.</summary>
    private static int[][] LogNormal(Random random) => [.. Enumerable.Range(0, 32).Select(_ => Enumerable.Range(0, 8).Select(_ =>
    {
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (int)Math.Ceiling(20 * Math.Exp(0.8 * normal));
    }).ToArray())];
}
