using System.Net;
using System.Net.Sockets;

namespace Millstream.Cli.Tests;

/// <summary><c>run --otlp</c>: what a collector gets, and that nothing it does changes how the run ends.</summary>
[Collection("processes")]
public sealed class OtlpTests : IDisposable
{
    private const string Traces = "/v1/traces", Metrics = "/v1/metrics";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Says => _folder.Write("says.yaml", """
        name: says-it
        input: { who: { type: string } }
        tasks:
          say: { uses: template, with: { text: "canary-text {{ who }}", values: { who: "${{ input.who }}" } } }
        output: ${{ tasks.say.output.text }}
        """);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_WithACollector_SendsSpansAndMetricsWithoutContent(bool isOption)
    {
        using CollectorServer collector = new();
        CommandResult result = await RunAsync(isOption ? ["--otlp", collector.Url, "--job-id", "otlp-1"] : ["--job-id", "otlp-2"], isOption ? [] : new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"{collector.Url}/", ["OTEL_SERVICE_NAME"] = "own-name" });
        Assert.Equal((0, "canary-text canary-input\n", ""), (result.ExitCode, result.Output, Said(result)));
        string spans = collector.SentTo(Traces), metrics = collector.SentTo(Metrics);
        Assert.All(["application/x-protobuf", "invoke_workflow says-it", "task say", "gen_ai.conversation.id", isOption ? "otlp-1" : "otlp-2", "service.name", isOption ? "millstream" : "own-name"], word => Assert.Contains(word, spans, StringComparison.Ordinal));
        Assert.All(["millstream.jobs", "millstream.tasks", "millstream.queue.wait", "millstream.task.duration"], word => Assert.Contains(word, metrics, StringComparison.Ordinal));
        Assert.DoesNotContain("canary", spans + metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ThatIsCancelled_SendsHowItEnded()
    {
        using CollectorServer collector = new();
        using GateServer server = new();
        string file = _folder.Write("waits.yaml", $"name: waits\ntasks:\n  a: {{ uses: http.get, with: {server.With("gate")} }}\n");
        using RunningCommand run = RunningCommand.Start(file, "--in-memory", "--json", "--otlp", collector.Url);
        Assert.Equal("gate", (await server.AskedAsync()).Trim('/'));
        run.Signal(2);
        CommandResult result = await run.EndAsync();
        Assert.Equal(130, result.ExitCode);
        Assert.All(["invoke_workflow waits", "cancelled", "stopped"], word => Assert.Contains(word, collector.SentTo(Traces), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_WithoutACollectorThere_EndsAsItWouldAndSaysSoOnce()
    {
        string url = $"http://127.0.0.1:{CollectorServer.FreePort()}";
        CommandResult result = await RunAsync(["--in-memory", "--otlp", url]);
        Assert.Equal((0, "canary-text canary-input\n"), (result.ExitCode, result.Output));
        // The process itself has no more than one line to say.
        Assert.StartsWith($"millstream: traces and metrics could not be sent to {url}/: Connection refused", Said(result), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', Said(result));
    }

    [Fact]
    public async Task Run_WithACollectorThatRefuses_SaysWhatItAnswered()
    {
        using CollectorServer collector = new(answer: 401);
        CommandResult result = await RunAsync(["--in-memory", "--otlp", collector.Url]);
        Assert.Equal((0, $"millstream: traces and metrics could not be sent to {collector.Url}/: it answered 401 Unauthorized"), (result.ExitCode, Said(result)));
    }

    [Fact]
    public async Task Run_WithACollectorThatNeverAnswers_EndsAllTheSame()
    {
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        CommandResult result = await RunAsync(["--in-memory", "--otlp", $"http://{silent.LocalEndpoint}"]);
        Assert.Equal(0, result.ExitCode);
        Assert.EndsWith("it did not answer within 3 s", Said(result), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'localhost:4318' (--otlp) is no URL of a collector; give one as http://localhost:4318", "localhost:4318")]
    [InlineData("'' (--otlp)", "")]
    public async Task Run_WithNoUrl_IsWrongUsageAndRunsNothing(string message, string url)
    {
        CommandResult result = await RunAsync(["--otlp", url]);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    /// <summary>What the command says beside how the run goes.</summary>
    private static string Said(CommandResult result) => string.Join('\n', result.Error.Split('\n').Where(l => l.StartsWith("millstream:", StringComparison.Ordinal)));

    private Task<CommandResult> RunAsync(string[] args, Dictionary<string, string>? environment = null) =>
        CommandProcess.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), "run", Says, "--input", "who=canary-input", .. args], environment: environment);
}
