using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

[assembly: AssemblyFixture(typeof(Millstream.Llm.Tests.Protocols.MockModels))]

namespace Millstream.Llm.Tests.Protocols;

/// <summary>A started aimock: a server that speaks the protocols of model providers as they do, with faults on request. It ends with the test run.</summary>
public sealed class MockModels : IAsyncDisposable
{
    private readonly HttpClient _http = new();
    private readonly SemaphoreSlim _starting = new(1);
    private Process? _process;
    private string? _url;

    /// <summary>Its address, as <c>http://127.0.0.1:4010</c>. Skips the test where there is no node.</summary>
    public async Task<string> UrlAsync()
    {
        Assert.SkipWhen(Peers.Missing is not null, Peers.Missing ?? "");
        await _starting.WaitAsync();
        try
        {
            if (_url is null)
            {
                _process = Process.Start(new ProcessStartInfo("node", ["models.mjs"]) { WorkingDirectory = Peers.Folder, RedirectStandardInput = true, RedirectStandardOutput = true })!;
                _url = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("aimock ended before it listened");
            }
            return _url;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Adds answers; the first that fits a request is taken.</summary>
    public async Task AddAsync(params object[] fixtures)
    {
        HttpResponseMessage response = await _http.PostAsJsonAsync(await UrlAsync() + "/__aimock/fixtures", new { fixtures });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The requests that came with a test's name; all of them without.</summary>
    public async Task<IReadOnlyList<JsonElement>> RequestsAsync(string? test = null)
    {
        JsonElement all = await _http.GetFromJsonAsync<JsonElement>($"{await UrlAsync()}/__aimock/journal{(test is null ? "" : $"?testId={test}")}");
        return [.. (all.ValueKind is JsonValueKind.Array ? all : all.GetProperty("entries")).EnumerateArray()];
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _starting.Dispose();
        if (_process is null)
            return;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
