using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// Real calls of models in a file, one a line: recorded while they are made, or answered from it without a key or a network. Every reply that comes
/// from it says so (<see cref="LlmReply.Replayed"/>). Give it to each <see cref="LlmResource"/>.
/// </summary>
public sealed class Cassette : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly FileStream? _file;
    private readonly bool _inRealTime;
    private readonly List<CassetteExchange> _exchanges = [];
    private readonly Dictionary<string, Queue<CassetteExchange>> _left = new(StringComparer.Ordinal);

    private Cassette(string path, bool isReplay, bool inRealTime)
    {
        (_path, IsReplay, _inRealTime) = (path, isReplay, inRealTime);
        long whole = isReplay || File.Exists(path) ? Read() : 0;
        if (isReplay)
            return;
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        _file.SetLength(whole);
        _file.Seek(0, SeekOrigin.End);
    }

    /// <summary>Whether it answers calls rather than recording them.</summary>
    public bool IsReplay { get; }

    /// <summary>The endpoints that are on it, without addresses and keys: what resources are made of where it is replayed.</summary>
    public IReadOnlyList<LlmEndpoint> Endpoints => [.. _exchanges.DistinctBy(e => e.Endpoint).Select(e => new LlmEndpoint
    {
        Id = e.Endpoint, Model = e.Model, Provider = e.Provider, Labels = e.Labels, Price = e.Price,
        BaseUrl = e.Provider is LlmProvider.Azure ? "https://replayed.invalid" : null, ApiVersion = e.Provider is LlmProvider.Azure ? "replayed" : null,
    })];

    /// <summary>Records calls. A file that is a cassette is gone on with.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written, or is no cassette.</exception>
    public static Cassette Record(string path) => new(Checked(path), isReplay: false, inRealTime: false);

    /// <summary>Answers calls with what is recorded. Equal requests get their answers in the order in which they were recorded.</summary>
    /// <param name="path">The file.</param>
    /// <param name="inRealTime">Whether pieces come with the gaps that they came with; else at once.</param>
    /// <exception cref="IOException">The file cannot be read, or is no cassette.</exception>
    public static Cassette Replay(string path, bool inRealTime = false) => new(Checked(path), isReplay: true, inRealTime);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file?.Dispose();

    internal CassetteRecording Begin(LlmEndpoint endpoint, IReadOnlyList<ChatMessage> messages, ChatOptions options, TimeProvider time) =>
        new(this, endpoint, RequestDigest.Of(messages, options), time);

    internal void Write(CassetteExchange exchange)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(exchange, AIJson.Options), (byte)'\n'];
        lock (_lock)
        {
            _file!.Write(line);
            _file.Flush();
        }
    }

    /// <summary>The recorded answer to a request; it is used up.</summary>
    /// <exception cref="TerminalTaskException">There is none; the message says what differs.</exception>
    internal CassetteExchange Take(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        RequestDigest digest = RequestDigest.Of(messages, options);
        lock (_lock)
        {
            if (_left.TryGetValue(digest.Hash, out Queue<CassetteExchange>? queue) && queue.TryDequeue(out CassetteExchange? exchange))
                return exchange;
            throw new TerminalTaskException($"cassette {_path} has no answer to this request: {(queue is null ? Difference(digest, messages) : $"it was recorded {Words.Counted(_exchanges.Count(e => e.Request == digest.Hash), "time")}, and is asked once more")}. Record it again, or undo what was changed.");
        }
    }

    internal async IAsyncEnumerable<ChatResponseUpdate> PlayAsync(CassetteExchange exchange, TimeProvider time, [EnumeratorCancellation] CancellationToken token)
    {
        foreach (CassetteUpdate piece in exchange.Updates)
        {
            token.ThrowIfCancellationRequested();
            if (_inRealTime && piece.After > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(piece.After), time, token);
            yield return piece.Update;
        }
    }

    private string Difference(RequestDigest digest, IReadOnlyList<ChatMessage> messages)
    {
        if (_exchanges.Count == 0)
            return "it is empty";
        CassetteExchange nearest = _exchanges.MaxBy(e => (e.Digest.SameUpTo(digest), -Math.Abs(e.Digest.Messages.Count - messages.Count)))!;
        int same = nearest.Digest.SameUpTo(digest), number = _exchanges.IndexOf(nearest) + 1, there = nearest.Digest.Messages.Count;
        string beside = $"its nearest recorded request is that of line {number}";
        if (same < messages.Count && same < there)
            return $"{beside}, and message {same + 1} of {messages.Count} (of the {messages[same].Role.Value}) is another there";
        return same < messages.Count ? $"{beside}, which ends before message {same + 1} of {messages.Count} (of the {messages[same].Role.Value})"
            : same < there ? $"{beside}, which has {there} messages where this one has {messages.Count}"
            : $"{beside}, whose messages are the same; tools, output format, temperature or another option differ";
    }

    /// <returns>The bytes of whole lines: of a process that was killed the last one may be torn.</returns>
    private long Read()
    {
        ReadOnlySpan<byte> bytes = File.ReadAllBytes(_path);
        int from = 0;
        for (int number = 1; bytes[from..].IndexOf((byte)'\n') is >= 0 and int length; number++)
        {
            try
            {
                CassetteExchange exchange = JsonSerializer.Deserialize<CassetteExchange>(bytes.Slice(from, length), AIJson.Options) ?? throw new JsonException("it is null");
                _exchanges.Add(exchange);
                (_left.TryGetValue(exchange.Request, out Queue<CassetteExchange>? queue) ? queue : _left[exchange.Request] = new()).Enqueue(exchange);
            }
            catch (JsonException e)
            {
                throw new IOException($"{_path} is no cassette: its line {number} is no recorded call ({e.Message}).", e);
            }
            from += length + 1;
        }
        return _exchanges.Count > 0 || bytes.Length == 0 ? from : throw new IOException($"{_path} is no cassette: it has no whole line.");
    }

    private static string Checked(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return Path.GetFullPath(path);
    }
}
