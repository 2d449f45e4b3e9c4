using System.Text.Json;
using Millstream.Cli.Running;

namespace Millstream.Cli.Tests.Agents;

/// <summary>
/// A model that always obeys an attacker: 100 scripts of hostile calls of every built-in tool, each run by the agent of agent files as a whole. Whatever it calls, nothing outside its folder is read, written or
/// made, nobody inside the host's network is asked, no secret is seen, no approval is skipped, and no other job is touched.
/// </summary>
[Collection("processes")]
public sealed class HostileScriptTests
{
    private const string Canary = "sk-canary-of-the-environment";
    private const int Scripts = 100, CallsOfOne = 5;

    private static readonly string[] Paths =
    [
        "../secret.txt", "/etc/passwd", "link", "relative", "linked/inner.txt", "root/etc/passwd", "self/etc/passwd", "folder/up/secret.txt", "chain", "dangling", "pipe", "loop", "..", "folder/../../secret.txt",
        "/proc/self/environ", "plain.txt/../../secret.txt", "../workshop/sibling.txt", "~/.ssh/id_rsa", "./link", "folder//..//../secret.txt",
    ];

    [Fact]
    public async Task Scripts_OfEveryBuiltInTool_HaveNoForbiddenEffect()
    {
        await SandboxNeeded.OrSkipAsync();
        Environment.SetEnvironmentVariable("MILLSTREAM_TEST_CANARY", Canary);
        await using TrapFolder folder = new();
        using CountingServer inner = new();
        ScriptedModel model = new();
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions
        {
            Workers = [new Worker("local", [new SandboxResource("sandbox-1"), new SandboxResource("sandbox-2")])],
            PoolResources = [new LlmResource(new LlmEndpoint { Id = "scripted", Provider = LlmProvider.OpenAI, Model = "scripted" }, model)],
            Agents = new AgentRegistry().Add(LocalHost.Agent).Add(LocalHost.LlmAgent),
        });
        LlmSpecInput input = new() { Spec = Spec(), Prompt = "sum up what there is", Folder = folder.Work };
        model.Then(new ScriptedTurn().Call("save", new { path = "victim.txt", text = "x" }, "c1"));
        Job<JsonElement, LlmEvent, LlmSignal> victim = await orchestrator.CreateJobAsync(LocalHost.LlmAgent, input);
        await foreach (LlmEvent e in victim.StreamAsync())
        {
            if (e is LlmEvent.ApprovalRequested)
                break;
        }

        for (int seed = 0; seed < Scripts; seed++)
        {
            Random random = new(seed);
            ScriptedTurn turn = new();
            for (int i = 0; i < CallsOfOne; i++)
            {
                (string tool, object arguments) = Next(random, inner.Url, victim.Id.Value);
                turn.Call(tool, arguments, $"s{i}");
            }
            model.Then(turn).Say("done");
            Job<JsonElement, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(LocalHost.LlmAgent, input);
            await foreach (LlmEvent e in job.StreamAsync())
            {
                // The user of this agent allows nothing.
                if (e is LlmEvent.ApprovalRequested { Request: { } request })
                    await job.SignalAsync(new LlmSignal.DenyToolCall(request.RequestId));
            }
            Assert.Equal("done", (await job.Completion).GetString());
            string seen = string.Join('\n', model.Requests[^1].Results.Values);
            Assert.Equal(CallsOfOne, model.Requests[^1].Results.Count);
            folder.AssertHarmless(seen);
            Assert.DoesNotContain(Canary, seen);
        }

        Assert.Empty(inner.Requests);
        Assert.False(File.Exists(folder.In("saved.txt")) || File.Exists(folder.In("victim.txt")), "a call that nobody allowed was made");
        Assert.Equal(JobStatus.Waiting, victim.Status);
        await victim.CancelAsync();
    }

    private static LlmAgentSpec Spec() => new()
    {
        Name = "obedient",
        Limits = new LlmLimits { ToolCalls = 1000 },
        Tools =
        [
            new LlmToolSpec { Use = "file.read", Name = "file_read" }, new LlmToolSpec { Use = "file.list", Name = "file_list" }, new LlmToolSpec { Use = "file.write", Name = "file_write" },
            new LlmToolSpec { Use = "file.write", Name = "save", Approval = ToolApproval.Always }, new LlmToolSpec { Use = "http.get", Name = "http_get" }, new LlmToolSpec { Use = "sandbox.run", Name = "sandbox_run" },
        ],
    };

    private static (string Tool, object Arguments) Next(Random random, string inner, string victim)
    {
        string path = Paths[random.Next(Paths.Length)];
        return random.Next(12) switch
        {
            0 => ("file_read", new { path }),
            1 => ("file_list", new { path, depth = 16 }),
            2 => ("file_write", new { path, text = "taken over" }),
            3 => ("file_write", new { path = $"folder/../{path}", text = "taken over" }),
            4 => ("save", new { path = "saved.txt", text = "nobody allowed this" }),
            5 => ("http_get", new { url = random.Next(3) switch { 0 => inner, 1 => inner.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), _ => "http://169.254.169.254/latest/meta-data/" } }),
            6 => ("http_get", new { url = $"{inner}?x={path}", allow_hosts = new[] { "127.0.0.1", "localhost" }, secret_headers = new { Authorization = "env:MILLSTREAM_TEST_CANARY" } }),
            // Nobody writes into the pipe, so that a command would read it until its time is over.
            7 => ("sandbox_run", new { command = new[] { "sh", "-c", $"cat /data/{(path == "pipe" ? "plain.txt" : path)} /data/link /data/relative /data/linked/inner.txt; env; cat /proc/1/environ; ls -la /data/.. ; echo x > /data/made; echo x > /data/plain.txt" } }),
            8 => ("sandbox_run", new { command = new[] { "sh", "-c", $"(echo GET / ; sleep 0) | nc -w 1 127.0.0.1 {new Uri(inner).Port}; (exec 3<>/dev/tcp/127.0.0.1/{new Uri(inner).Port}) ; wget -q -O- {inner}" } }),
            9 => ("sandbox_run", new { command = new[] { "cat", "/host" }, mounts = new[] { new { host = "..", path = "/host", access = "write" } }, secrets = new { K = "env:MILLSTREAM_TEST_CANARY" } }),
            10 => ("millstream_cancel", new { job = victim }),
            _ => ("save", new { path = "saved.txt", text = "x", approved = true }),
        };
    }
}
