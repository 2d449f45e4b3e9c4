using System.IO.Pipes;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Millstream;

/// <summary>What bubblewrap tells of its sandbox: one JSON line with the first process, one with the exit code, and the end.</summary>
internal sealed class StatusReader : IDisposable
{
    private readonly StreamReader _lines;

    public StatusReader(Fd pipe) => _lines = new StreamReader(new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(pipe.Release(), ownsHandle: true)));

    /// <summary>The host's number of the sandbox's first process; null where bubblewrap gave up before.</summary>
    public Task<int?> FirstProcessAsync() => NextAsync("child-pid");

    /// <summary>Waits for bubblewrap's end; null where it did not say an exit code: the program was not started, or all was killed.</summary>
    public Task<int?> ExitCodeAsync() => NextAsync("exit-code");

    public void Dispose() => _lines.Dispose();

    private async Task<int?> NextAsync(string name)
    {
        int? value = null;
        while (await _lines.ReadLineAsync() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (!document.RootElement.TryGetProperty(name, out JsonElement element))
                continue;
            value = element.GetInt32();
            if (name == "child-pid")
                break;
        }
        return value;
    }
}
