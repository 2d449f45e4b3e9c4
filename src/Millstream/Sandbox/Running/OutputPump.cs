using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;

namespace Millstream;

/// <summary>Reads one output stream to its end, whatever is kept of it: a command is never blocked by a full pipe.</summary>
internal sealed class OutputPump : IDisposable
{
    private readonly string _name;
    private readonly int _limit;
    private readonly SandboxOutputHandler? _handler;
    private readonly Lock _handlerLock;
    private readonly AnonymousPipeClientStream _pipe;
    private readonly MemoryStream _kept = new();

    public OutputPump(string name, Fd pipe, int limit, SandboxOutputHandler? handler, Lock handlerLock)
    {
        _name = name;
        _limit = limit;
        _handler = handler;
        _handlerLock = handlerLock;
        // This stream waits in epoll: no thread stands behind a sandbox that is silent.
        _pipe = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(pipe.Release(), ownsHandle: true));
        Ended = ReadAsync();
    }

    /// <summary>Done at the end of the stream; fails with what the handler threw.</summary>
    public Task Ended { get; }

    public bool Truncated { get; private set; }

    public ReadOnlyMemory<byte> Kept => _kept.ToArray();

    public void Dispose() => _pipe.Dispose();

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            int read;
            try
            {
                read = await _pipe.ReadAsync(buffer);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
            if (read == 0)
                return;
            int keep = (int)Math.Min(read, _limit - _kept.Length);
            Truncated |= keep < read;
            if (keep > 0)
                Keep(buffer.AsSpan(0, keep));
        }
    }

    private void Keep(ReadOnlySpan<byte> chunk)
    {
        _kept.Write(chunk);
        if (_handler is null)
            return;
        lock (_handlerLock)
            _handler(_name, chunk);
    }
}
