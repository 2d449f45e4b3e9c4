using System.CommandLine;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Millstream.Cli.Running;

/// <summary>Sends spans and metrics of a run to a collector, as OTLP. What the collector does never changes how the run ends.</summary>
internal sealed class OtlpExport : IAsyncDisposable
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT", ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";

    // A run may end so much later for a collector that does not answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private static readonly string NoAnswer = $"it did not answer within {Patience.TotalSeconds} s";

    private static readonly string[] Names = [AgentOrchestrator.TelemetryName, $"{AgentOrchestrator.TelemetryName}.*"];

    private readonly Uri _url;
    private readonly OtlpExportProtocol _protocol;
    private readonly TracerProvider _spans;
    private readonly MeterProvider _metrics;
    private string? _failure;

    private OtlpExport(Uri url, OtlpExportProtocol protocol)
    {
        (_url, _protocol) = (url, protocol);
        // What the environment says of the service goes before what is said here.
        ResourceBuilder resource = ResourceBuilder.CreateEmpty().AddService("millstream", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3)).AddTelemetrySdk().AddEnvironmentVariableDetector();
        _spans = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Names).AddOtlpExporter(o => Set(o, "v1/traces")).Build();
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Names).AddOtlpExporter(o => Set(o, "v1/metrics")).Build();
    }

    public static Option<string?> Option { get; } = new("--otlp")
    {
        Description = $"Send traces and metrics to this OpenTelemetry collector, as OTLP over HTTP; what {EndpointVariable} says unless given",
        HelpName = "URL",
    };

    /// <summary>Begins to export where somebody asked for it; else null.</summary>
    /// <exception cref="CommandException">The URL or the protocol is none.</exception>
    public static OtlpExport? Start(ParseResult parsed)
    {
        string? given = parsed.GetValue(Option);
        if ((given ?? Environment.GetEnvironmentVariable(EndpointVariable)) is not { } text || (given is null && text.Length == 0))
            return null;
        string name = given is null ? EndpointVariable : "--otlp";
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https"))
            throw new CommandException($"'{text}' ({name}) is no URL of a collector; give one as http://localhost:4318", ExitCode.Usage);
        OtlpExportProtocol protocol = Environment.GetEnvironmentVariable(ProtocolVariable) switch
        {
            null or "" or "http/protobuf" => OtlpExportProtocol.HttpProtobuf,
            "grpc" => OtlpExportProtocol.Grpc,
            { } other => throw new CommandException($"'{other}' ({ProtocolVariable}) is no protocol that millstream speaks; give http/protobuf or grpc", ExitCode.Usage),
        };
        return new OtlpExport(url, protocol);
    }

    /// <summary>Sends what is left, and tells where that could not be done.</summary>
    public async ValueTask DisposeAsync()
    {
        int wait = (int)Patience.TotalMilliseconds;
        bool[] ended = await Task.WhenAll(Task.Run(() => _spans.Shutdown(wait)), Task.Run(() => _metrics.Shutdown(wait)));
        // A request has as long as the shutdown, so it may not have failed yet when that gives up.
        if (ended.Contains(false))
            Failed(NoAnswer);
        if (_failure is not null)
            await RunSignals.TryWriteAsync(Console.Error, OutputText.CleanLines($"millstream: traces and metrics could not be sent to {_url.GetLeftPart(UriPartial.Path)}: {_failure}"));
    }

    private void Set(OtlpExporterOptions options, string path)
    {
        options.Protocol = _protocol;
        // Only what the environment says is completed by the exporter itself.
        options.Endpoint = _protocol == OtlpExportProtocol.Grpc ? _url : new Uri($"{_url.GetLeftPart(UriPartial.Path).TrimEnd('/')}/{path}{_url.Query}");
        options.TimeoutMilliseconds = (int)Patience.TotalMilliseconds;
        options.HttpClientFactory = () => new HttpClient(new Watch(this)) { Timeout = Patience };
    }

    private void Failed(string reason) => Interlocked.CompareExchange(ref _failure, reason, null);

    /// <summary>Sees what becomes of each request, of which the exporter says nothing.</summary>
    private sealed class Watch(OtlpExport export) : DelegatingHandler(new SocketsHttpHandler { ConnectTimeout = Patience })
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Seen(base.Send(request, cancellationToken));
            }
            catch (Exception e)
            {
                export.Failed(ReasonOf(e));
                throw;
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Seen(await base.SendAsync(request, cancellationToken));
            }
            catch (Exception e)
            {
                export.Failed(ReasonOf(e));
                throw;
            }
        }

        private HttpResponseMessage Seen(HttpResponseMessage response)
        {
            if (!response.IsSuccessStatusCode)
                export.Failed($"it answered {(int)response.StatusCode} {response.ReasonPhrase}");
            return response;
        }

        private static string ReasonOf(Exception e) => e is OperationCanceledException ? NoAnswer
            : e is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } ? $"it does not speak HTTP/1.1; for a port of gRPC set {ProtocolVariable}=grpc" : e.Message;
    }
}
