using System.Diagnostics;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// 1,000 LLM agents at once on four endpoints with tight limits: two run out of requests first, two of tokens. Whether a limit was exceeded is told by the log of the server, a process of
/// its own; how long it takes, beside the least time that the limits allow.
/// </summary>
internal static class LlmAgentsBench
{
    private const int Agents = 1_000, Turns = 2, Pieces = 20, Delay = 100, Gap = 10, Used = 400, MaxOutput = 256;
    private const string Label = "bench";
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // With 2,000 calls three windows are needed, so that a place that is lost in one of them shows.
    private static readonly Limits[] All = [new("requests-1", 6, 172, 76_000), new("requests-2", 6, 172, 76_000), new("tokens-1", 6, 190, 68_800), new("tokens-2", 6, 190, 68_800)];

    public static async Task RunAsync(Measure measure)
    {
        using ModelServerProcess server = new();
        LlmResource[] resources = [.. All.Select(l => new LlmResource(server.Endpoint(new ModelScript(l.Name, Pieces, Delay, Gap, Used)) with
        {
            Labels = [Label], MaxConcurrency = l.InFlight, RequestsPerMinute = l.Requests, TokensPerMinute = l.Tokens,
        }))];
        LlmAgent agent = new(new LlmAgentOptions
        {
            Id = "bench", Model = Label, Instructions = "Look the number up, then answer in a word.", Chat = new ChatOptions { MaxOutputTokens = MaxOutput },
            Tools = [LlmTool.Of((int number) => number * 2, "look_up", "Looks a number up.")],
        });
        List<double> times = [];
        double whole;
        long start = Stopwatch.GetTimestamp();
        await using (AgentOrchestrator orchestrator = new(new OrchestratorOptions { PoolResources = resources }))
        {
            times.AddRange(await Task.WhenAll(Enumerable.Range(0, Agents).Select(i => RunAsync(orchestrator, agent, start, new string((char)('a' + i % 26), 800)))));
            whole = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        foreach (LlmResource resource in resources)
            resource.Dispose();
        List<ModelRequest> log = server.Stop();
        if (log.Count != Agents * Turns)
            throw new InvalidOperationException($"The server has seen {log.Count} calls of {Agents * Turns}.");
        foreach (Limits limits in All)
        {
            List<ModelRequest> calls = [.. log.Where(r => r.Endpoint == limits.Name).OrderBy(r => r.Arrived)];
            measure.Say($"{limits.Name}: most requests in 60 s, as the server counts", MostInWindow(calls, _ => 1), "", limits.Requests, $"{calls.Count} in all");
            measure.Say($"{limits.Name}: most tokens in 60 s", MostInWindow(calls, c => c.Tokens), "", limits.Tokens);
            measure.Say($"{limits.Name}: most calls in flight", calls.Max(c => c.InFlight), "", limits.InFlight);
        }
        double least = Least();
        measure.Say($"{Agents:N0} agents of {Turns} calls, in all", whole, "s", null, $"{Agents * Turns / whole * 60:N0} calls a minute");
        measure.Say("  over the least time that the limits allow", whole / least, "x", 1 / 0.95, $"{least:N1} s, {Agents * Turns / least * 60:N0} calls a minute");
        measure.Say("  the longest job over the median one", times.Max() / Measure.Median(times), "x", null, $"{times.Max():N1} s, {Measure.Median(times):N1} s");
        using Process self = Process.GetCurrentProcess();
        measure.Say("  most resident memory", self.PeakWorkingSet64 / 1e6, "MB", 300);
    }

    private static async Task<double> RunAsync(AgentOrchestrator orchestrator, LlmAgent agent, long start, string prompt)
    {
        Job<string, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(agent, prompt);
        int calls = 0, tools = 0;
        await foreach (LlmEvent e in job.StreamAsync())
        {
            calls += e is LlmEvent.TurnCompleted ? 1 : 0;
            tools += e is LlmEvent.ToolCallCompleted ? 1 : 0;
        }
        // It fails where the job did.
        await job.Completion;
        return calls == Turns && tools == 1 ? Stopwatch.GetElapsedTime(start).TotalSeconds : throw new InvalidOperationException($"Job {job.Id} made {calls} calls of the model and {tools} of the tool.");
    }

    /// <summary>The most that came in any window; one that ends with a call holds as much as any.</summary>
    private static long MostInWindow(List<ModelRequest> calls, Func<ModelRequest, long> amount)
    {
        long most = 0, sum = 0;
        int first = 0;
        foreach (ModelRequest call in calls)
        {
            sum += amount(call);
            while (calls[first].Arrived <= call.Arrived - Window.TotalSeconds)
                sum -= amount(calls[first++]);
            most = Math.Max(most, sum);
        }
        return most;
    }

    /// <summary>The least time: each endpoint takes calls as early as its three limits allow, whoever needs one has one ready, and nothing but the server takes time.</summary>
    private static double Least()
    {
        const double call = (Delay + Pieces * Gap) / 1000.0;
        List<double>[] begun = [.. All.Select(_ => new List<double>())];
        double last = 0;
        for (int i = 0; i < Agents * Turns; i++)
        {
            int at = Enumerable.Range(0, All.Length).MinBy(e => Next(All[e], begun[e]));
            double next = Next(All[at], begun[at]);
            begun[at].Add(next);
            last = next + call;
        }
        return last;

        static double Next(Limits limits, List<double> begun)
        {
            int inWindow = (int)Math.Min(limits.Requests, limits.Tokens / Used);
            return Math.Max(After(limits.InFlight, call), After(inWindow, Window.TotalSeconds));

            double After(int count, double time) => begun.Count < count ? 0 : begun[^count] + time;
        }
    }

    private sealed record Limits(string Name, int InFlight, long Requests, long Tokens);
}
