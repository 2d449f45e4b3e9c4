using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>Secrets are references: journaled as such, read when a task starts, waited for where they are missing.</summary>
public sealed class SecretTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millstream-secret-").FullName;
    private readonly MemoryJournalStorage _storage = new();
    private readonly FakeTimeProvider _time = new();
    private readonly string _name = $"MILLSTREAM_TEST_{Guid.NewGuid():N}";
    private AgentOrchestrator? _orchestrator;
    private int _runs;

    internal sealed record Call(string Url, Secret Key);

    internal sealed record Calls(IReadOnlyDictionary<string, Call?[]> All);

    private string KeyFile => Path.Combine(_folder, "key");

    private AgentTask<Call, string> Reveals => AgentTask.Create<Call, string>("call", (call, context) =>
    {
        Interlocked.Increment(ref _runs);
        return Task.FromResult($"{call.Url} {context.Reveal(call.Key).Length}");
    });

    private TestAgent<Call, string> Agent => new((call, context) => context.RunAsync(Reveals, call));

    private static TestAgent<string, string> Echoes { get; } = new((_, context) => context.RunAsync(Agents.Echo, "y"), "echoes");

    public async ValueTask DisposeAsync()
    {
        if (_orchestrator is not null)
            await _orchestrator.DisposeAsync();
        await _storage.DisposeAsync();
        Environment.SetEnvironmentVariable(_name, null);
        Directory.Delete(_folder, true);
    }

    [Fact]
    public async Task Task_WithASecret_GetsItsValueAndTheJournalItsReference()
    {
        Environment.SetEnvironmentVariable(_name, "top-secret-value");
        Job<string, string, string> job = await StartAsync(Secret.FromEnvironment(_name));
        Assert.Equal("u 16", await job.Completion);
        string all = string.Join('\n', await job.LinesAsync());
        Assert.Contains($"\"key\":\"env:{_name}\"", all, StringComparison.Ordinal);
        Assert.DoesNotContain("top-secret-value", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Task_WithoutItsSecret_WaitsSayingWhichAndRunsOnceItIsThere(bool isStored)
    {
        Job<string, string, string> job = await StartAsync(Secret.FromFile(KeyFile), isStored);
        string reason = $"secret file:{KeyFile}: there is no such file";
        JobEvent waiting = await AsTimePassesAsync(job.UntilAsync(JobEventKinds.TaskWaiting));
        Assert.Contains($"\"kind\":\"task.waiting\",\"job\":\"{job.Id}\",\"task\":\"call\",\"attempt\":1,\"reason\":{JsonSerializer.Serialize(reason)}", waiting.ToJson(), StringComparison.Ordinal);
        // It holds no lease: another task can have the only slot.
        Assert.Equal("y", await (await _orchestrator!.StartAsync(Echoes, "")).Completion);
        AgentTaskInfo info = Assert.Single(job.Tasks);
        Assert.Equal((AgentTaskStatus.Waiting, $"waits for {reason}"), (info.Status, info.Detail));
        Assert.Equal([$"task call, which waits for {reason}"], job.WaitsFor);
        File.WriteAllText(KeyFile, "");
        Assert.Contains("the file is empty", (await AsTimePassesAsync(job.UntilAsync(e => e.Kind == JobEventKinds.TaskWaiting && e.Seq > waiting.Seq))).Data!.Value.GetString(), StringComparison.Ordinal);
        File.WriteAllText(KeyFile, "value\n");
        Assert.Equal("u 5", await AsTimePassesAsync(job.Completion));
        Assert.Equal(1, _runs);
        Assert.Equal(["task.scheduled", "task.waiting", "task.waiting", "task.started", "task.completed"], (await job.KindsAsync()).Where(k => k.StartsWith("task", StringComparison.Ordinal)));
        Assert.All((await job.AllAsync()).Where(e => e.Task is not null), e => Assert.Equal(1, e.Attempt));
    }

    [Fact]
    public async Task Task_ThatWaitsForASecret_CanBeCancelled()
    {
        Job<string, string, string> job = await StartAsync(Secret.FromEnvironment(_name));
        JobEvent waiting = await AsTimePassesAsync(job.UntilAsync(JobEventKinds.TaskWaiting));
        Assert.Contains($"secret env:{_name}: it is not set in the environment of this process", waiting.ToJson(), StringComparison.Ordinal);
        Assert.Equal(SignalResult.Accepted, await job.CancelAsync());
        Assert.IsType<JobEnding.Cancelled>(await job.Ending);
        Assert.Equal(0, _runs);
    }

    [Fact]
    public async Task Task_ThatFindsASecretMissingInItsCode_WaitsAndStartsAgain()
    {
        int begun = 0;
        Secret secret = Secret.FromFile(KeyFile);
        TestAgent<Call, string> agent = new((_, c) => c.StepAsync("own", context =>
        {
            begun++;
            return Task.FromResult(context.Reveal(secret));
        }));
        Job<string, string, string> job = await StartAsync(secret, agent: agent);
        JobEvent waiting = await AsTimePassesAsync(job.UntilAsync(JobEventKinds.TaskWaiting));
        Assert.Equal(2, waiting.Attempt);
        File.WriteAllText(KeyFile, "value\r\n");
        Assert.Equal("value", await AsTimePassesAsync(job.Completion));
        Assert.Equal(2, begun);
    }

    [Fact]
    public async Task Task_AtMostOnce_FailsWhereItHasBegunWithoutItsSecret()
    {
        TestAgent<Call, string> agent = new((call, c) => c.StepAsync("own", context => Task.FromResult(context.Reveal(call.Key)), new TaskPolicy { AtMostOnce = true }));
        Job<string, string, string> job = await StartAsync(Secret.FromFile(KeyFile), agent: agent);
        Assert.Equal(nameof(SecretMissingException), Assert.IsType<JobEnding.Failed>(await job.Ending).Error.Type);
    }

    [Fact]
    public void Secrets_AreFoundInWhateverHoldsThem()
    {
        PayloadType type = PayloadType.Of<Calls>();
        Assert.True(type.HoldsSecrets);
        Assert.False(PayloadType.Of<Dictionary<string, List<AgentTaskInfo>>>().HoldsSecrets);
        Secret one = Secret.FromEnvironment("ONE"), two = Secret.Parse("file:/two");
        Calls calls = new(new Dictionary<string, Call?[]> { ["a"] = [new Call("u", one), null], ["b"] = [new Call("u", two)] });
        Assert.Equal([one, two], Secret.In(type, calls));
    }

    [Theory]
    [InlineData("hunter2")]
    [InlineData("env:")]
    [InlineData("env:A=hunter2")]
    [InlineData("file:hunter2")]
    [InlineData("ENV:hunter2")]
    public void Literal_IsRefusedAndNotRepeated(string text)
    {
        JsonException e = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Call>(JsonSerializer.Serialize(new { Url = "u", Key = text })));
        Assert.Contains("A secret is given as a reference, env:NAME or file:/path (absolute), and not as its value, which would be stored", e.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", Assert.Throws<FormatException>(() => Secret.Parse(text)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Reference_OfARelativeFile_IsAbsolute() => Assert.Equal($"file:{Path.GetFullPath("key")}", Secret.FromFile("key").ToString());

    /// <summary>Turns the clock until something has come. Notes of a stored job wait for company by it, too.</summary>
    private async Task<T> AsTimePassesAsync<T>(Task<T> coming)
    {
        while (!coming.IsCompleted)
        {
            _time.Advance(TaskCommand.SecretPause);
            await Task.Yield();
        }
        return await coming;
    }

    private async Task<Job<string, string, string>> StartAsync(Secret key, bool isStored = true, TestAgent<Call, string>? agent = null)
    {
        agent ??= Agent;
        _orchestrator = new AgentOrchestrator(new OrchestratorOptions
        {
            Journal = isStored ? _storage : null, Agents = new AgentRegistry().Add(agent).Add(Echoes), Time = _time, Workers = [new Worker("local", [], 1)], GracePeriod = TimeSpan.FromMilliseconds(100),
        });
        await _orchestrator.StartAsync();
        return await _orchestrator.StartAsync(agent, new Call("u", key));
    }
}
