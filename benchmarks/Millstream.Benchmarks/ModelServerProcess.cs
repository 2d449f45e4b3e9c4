using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>A <see cref="ModelServer"/> that runs.</summary>
internal sealed class ModelServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _address;

    public ModelServerProcess()
    {
        _process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [typeof(ModelServer).Assembly.Location, ModelServer.Command]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        _address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{int.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the model server did not start"), CultureInfo.InvariantCulture)}");
    }

    /// <summary>An endpoint that answers as a script says.</summary>
    public LlmEndpoint Endpoint(ModelScript script) => new() { Id = script.Name, Model = "bench", BaseUrl = $"{_address}/{script}/v1" };

    /// <summary>Ends it and gives what it saw.</summary>
    public List<ModelRequest> Stop()
    {
        _process.StandardInput.Close();
        List<ModelRequest> log = [];
        while (_process.StandardOutput.ReadLine() is { } line)
            log.Add(ModelRequest.Parse(line));
        return log;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.Dispose();
    }
}
