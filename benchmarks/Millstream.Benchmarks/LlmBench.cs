using System.Diagnostics;
using System.Runtime;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What Millstream adds to a model's answer over the bare client of the provider: OpenAI's protocol over loopback, the same server and client for both, read by one reader each.</summary>
internal static class LlmBench
{
    private const int Tokens = 2_000, Calls = 10, Streams = 16, SlowTokens = 200, Gap = 5, Firsts = 50;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1), LongestWarmUp = TimeSpan.FromSeconds(20);

    private const string Bare = "bare client", InMemory = "LLM agent, in memory", InSqlite = "LLM agent, SQLite";

    public static async Task RunAsync(Measure measure)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        using ModelServerProcess server = new();
        LlmEndpoint fast = server.Endpoint(new ModelScript("fast", Tokens, Used: Tokens + 10)), slow = server.Endpoint(new ModelScript("slow", SlowTokens, Gap: Gap, Used: SlowTokens + 10)), first = server.Endpoint(new ModelScript("first", 1, Used: 11));
        (string Name, LlmEndpoint Endpoint, Func<IAsker, Task<double>> Run, double? Bound)[] cases =
        [
            ($"a token of {Tokens:N0} at once, CPU", fast, FastAsync, 20),
            ($"a token of {Streams} streams, each {Gap} ms, CPU", slow, SlowAsync, null),
            ("the first token, CPU", first, asker => FirstAsync(asker, () => Environment.CpuUsage.TotalTime), 2_000),
            ("the first token, until it is read", first, asker => FirstAsync(asker, () => Stopwatch.GetElapsedTime(0)), null),
        ];
        int made = 0;
        HashSet<string> warm = [];
        try
        {
            Rounds rounds = new(measure);
            foreach ((string name, LlmEndpoint endpoint, Func<IAsker, Task<double>> run, _) in cases)
            {
                Add(Bare, () => new BareAsker(endpoint));
                Add(InMemory, () => new AgentAsker(endpoint, null));
                Add(InSqlite, () => new AgentAsker(endpoint, new SqliteJournalStorage(Path.Combine(folder, $"{++made}.db"))));

                void Add(string how, Func<IAsker> make) => rounds[$"{name}: {how}"] = () => WithAsync(make(), run, warm.Add($"{name}: {how}"));
            }
            await rounds.RunAsync();
            foreach ((string name, _, _, double? bound) in cases)
            {
                rounds.SayTime($"{name}: {Bare}");
                foreach (string how in (string[])[InMemory, InSqlite])
                {
                    rounds.SayTime($"{name}: {how}");
                    rounds.SayDifference("  over the bare client", $"{name}: {how}", $"{name}: {Bare}", bound);
                }
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task<double> WithAsync(IAsker asker, Func<IAsker, Task<double>> run, bool isFirst)
    {
        await using (asker)
        {
            await asker.StartAsync();
            await asker.AskAsync(null);
            if (isFirst)
                await WarmUpAsync(() => run(asker));
            return await run(asker);
        }
    }

    // A round is short: as long as the compiler is at work, it would measure the compiler.
    private static async Task WarmUpAsync(Func<Task<double>> run)
    {
        long start = Stopwatch.GetTimestamp(), changed = start, compiled = 0;
        while (Stopwatch.GetElapsedTime(changed) < Quiet && Stopwatch.GetElapsedTime(start) < LongestWarmUp)
        {
            await run();
            if (JitInfo.GetCompiledMethodCount() is var now && now != compiled)
                (compiled, changed) = (now, Stopwatch.GetTimestamp());
        }
    }

    private static async Task<double> FastAsync(IAsker asker)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        int count = 0;
        for (int i = 0; i < Calls; i++)
            count += await asker.AskAsync(null);
        return Cost(before, count, Calls * Tokens);
    }

    private static async Task<double> SlowAsync(IAsker asker)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        int[] counts = await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => asker.AskAsync(null)));
        return Cost(before, counts.Sum(), Streams * SlowTokens);
    }

    private static double Cost(TimeSpan before, int count, int expected) =>
        count == expected ? (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / count : throw new InvalidOperationException($"{count} of {expected} tokens came.");

    /// <returns>The median of what a clock says between the question and its first token.</returns>
    private static async Task<double> FirstAsync(IAsker asker, Func<TimeSpan> clock)
    {
        List<double> all = [];
        for (int i = 0; i < Firsts; i++)
        {
            TimeSpan before = clock(), came = TimeSpan.Zero;
            await asker.AskAsync(() => came = clock());
            all.Add((came - before).TotalMicroseconds);
        }
        return Measure.Median(all);
    }

    /// <summary>Who asks the model, as the bare client or by a job.</summary>
    private interface IAsker : IAsyncDisposable
    {
        Task StartAsync();

        /// <returns>How many tokens came.</returns>
        Task<int> AskAsync(Action? onFirst);
    }

    private sealed class BareAsker(LlmEndpoint endpoint) : IAsker
    {
        private readonly HttpClient _http = new(LlmHttpHandler.Connections());
        private IChatClient? _client;

        public Task StartAsync()
        {
            _client = LlmClients.Make(endpoint, _http);
            return Task.CompletedTask;
        }

        public async Task<int> AskAsync(Action? onFirst)
        {
            int length = 0;
            await foreach (ChatResponseUpdate update in _client!.GetStreamingResponseAsync("go"))
            {
                if (update.Text.Length > 0 && length == 0)
                    onFirst?.Invoke();
                length += update.Text.Length;
            }
            return length / ModelScript.Token.Length;
        }

        public ValueTask DisposeAsync()
        {
            _http.Dispose();
            return default;
        }
    }

    private sealed class AgentAsker(LlmEndpoint endpoint, IJournalStorage? store) : IAsker
    {
        private readonly LlmAgent _agent = new(new LlmAgentOptions { Id = "asker" });
        private readonly LlmResource _resource = new(endpoint);
        private AgentOrchestrator? _orchestrator;

        public Task StartAsync()
        {
            _orchestrator = new AgentOrchestrator(new OrchestratorOptions { PoolResources = [_resource], Journal = store, Agents = new AgentRegistry().Add(_agent) });
            return _orchestrator.StartAsync();
        }

        public async Task<int> AskAsync(Action? onFirst)
        {
            Job<string, LlmEvent, LlmSignal> job = await _orchestrator!.CreateJobAsync(_agent, "go");
            int length = 0;
            await foreach (JobEvent entry in job.EventsAsync())
            {
                if (entry.Kind != JobEventKinds.TaskDelta)
                    continue;
                if (length == 0)
                    onFirst?.Invoke();
                length += entry.Bytes.Length;
            }
            // It fails where the job did.
            string answer = await job.Completion;
            return answer.Length == length ? length / ModelScript.Token.Length : throw new InvalidOperationException($"The answer has {answer.Length} characters, its deltas {length}.");
        }

        public async ValueTask DisposeAsync()
        {
            await _orchestrator!.DisposeAsync();
            _resource.Dispose();
            if (store is not null)
                await store.DisposeAsync();
        }
    }
}
