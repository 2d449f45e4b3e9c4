using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millstream;

/// <summary>
/// A server on loopback that speaks enough of OpenAI's chat completions to stream: a process of its own, so that neither its time nor its memory is counted with what is measured. The
/// first word of a request's path says how it answers (<see cref="ModelScript"/>). It ends when its input is closed; then it writes its log.
/// </summary>
internal sealed class ModelServer
{
    public const string Command = "model-server";

    private static readonly byte[] Head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(), Last = "0\r\n\r\n"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _lock = new();
    private readonly List<ModelRequest> _log = [];
    private readonly Dictionary<string, int> _inFlight = [];

    /// <summary>Serves until its input ends.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        ModelServer server = new();
        server._listener.Start(1024);
        Console.Out.WriteLine(((IPEndPoint)server._listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture));
        _ = server.AcceptAsync();
        await Console.In.ReadToEndAsync();
        lock (server._lock)
        {
            foreach (ModelRequest request in server._log)
                Console.Out.WriteLine(request.ToLine());
        }
        return 0;
    }

    private async Task AcceptAsync()
    {
        while (true)
            _ = ServeAsync(await _listener.AcceptSocketAsync());
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using NetworkStream stream = new(socket, true);
        byte[] buffer = new byte[64 * 1024];
        int have = 0;
        try
        {
            while (true)
            {
                int head, length;
                while (!IsWhole(buffer.AsSpan(0, have), out head, out length))
                {
                    int count = await stream.ReadAsync(buffer.AsMemory(have));
                    if (count == 0)
                        return;
                    have += count;
                }
                string path = Encoding.ASCII.GetString(buffer, 0, buffer.AsSpan(0, head).IndexOf("\r\n"u8)), body = Encoding.UTF8.GetString(buffer, head, length);
                have -= head + length;
                buffer.AsSpan(head + length, have).CopyTo(buffer);
                await AnswerAsync(stream, ModelScript.Parse(path.Split('/')[1]), body);
            }
        }
        catch (IOException)
        {
            // The other side has gone.
        }
    }

    private async Task AnswerAsync(NetworkStream stream, ModelScript script, string body)
    {
        int number = Arrived(script, out int inFlight, out long arrived);
        await PauseAsync(script.Delay);
        await stream.WriteAsync(Head);
        if (body.Contains("\"tools\"", StringComparison.Ordinal) && !body.Contains("\"role\":\"tool\"", StringComparison.Ordinal))
        {
            await PauseAsync(script.Pieces * script.Gap);
            await stream.WriteAsync(Chunk($"{{\"role\":\"assistant\",\"tool_calls\":[{{\"index\":0,\"id\":\"call_{number}\",\"type\":\"function\",\"function\":{{\"name\":\"look_up\",\"arguments\":\"{{\\\"number\\\":{number}}}\"}}}}]}}"));
        }
        else if (script.Gap == 0)
        {
            await stream.WriteAsync(script.Text);
        }
        else
        {
            for (int i = 0; i < script.Pieces; i++)
            {
                await PauseAsync(script.Gap);
                await stream.WriteAsync(ModelScript.Piece);
            }
        }
        bool isCall = body.Contains("\"tools\"", StringComparison.Ordinal) && !body.Contains("\"role\":\"tool\"", StringComparison.Ordinal);
        string usage = $"{{\"id\":\"r\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"bench\",\"choices\":[],\"usage\":{{\"prompt_tokens\":{script.Used - script.Pieces},\"completion_tokens\":{script.Pieces},\"total_tokens\":{script.Used}}}}}";
        await stream.WriteAsync((byte[])[.. Chunk("{}", isCall ? "tool_calls" : "stop"), .. Event(usage)]);
        // Before its end is sent, since the other side may have begun its next call before this one is taken off.
        Ended(script, number, inFlight, arrived);
        await stream.WriteAsync((byte[])[.. Event("[DONE]"), .. Last]);
    }

    private int Arrived(ModelScript script, out int inFlight, out long arrived)
    {
        lock (_lock)
        {
            arrived = Stopwatch.GetTimestamp();
            _inFlight[script.Name] = inFlight = _inFlight.GetValueOrDefault(script.Name) + 1;
            _log.Add(default);
            return _log.Count - 1;
        }
    }

    private void Ended(ModelScript script, int number, int inFlight, long arrived)
    {
        lock (_lock)
        {
            _inFlight[script.Name]--;
            _log[number] = new ModelRequest(script.Name, Seconds(arrived), Seconds(Stopwatch.GetTimestamp()), inFlight, script.Used);
        }
    }

    private static double Seconds(long timestamp) => (double)timestamp / Stopwatch.Frequency;

    private static Task PauseAsync(int milliseconds) => milliseconds == 0 ? Task.CompletedTask : Task.Delay(milliseconds);

    private static bool IsWhole(ReadOnlySpan<byte> bytes, out int head, out int length)
    {
        length = 0;
        head = bytes.IndexOf("\r\n\r\n"u8) + 4;
        if (head < 4)
            return false;
        string text = Encoding.ASCII.GetString(bytes[..head]);
        int at = text.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            throw new InvalidOperationException($"a request without a length: {text}");
        length = int.Parse(text[(at + 16)..text.IndexOf('\r', at)], CultureInfo.InvariantCulture);
        return bytes.Length >= head + length;
    }

    internal static byte[] Chunk(string delta, string? finish = null) => Event(
        $"{{\"id\":\"r\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"bench\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{(finish is null ? "null" : $"\"{finish}\"")}}}]}}");

    // As one chunk of HTTP each, as servers send them.
    private static byte[] Event(string data)
    {
        string text = $"data: {data}\n\n";
        return Encoding.UTF8.GetBytes($"{text.Length:x}\r\n{text}\r\n");
    }
}

/// <summary>How an endpoint answers, as the first word of its path.</summary>
/// <param name="Name">The endpoint, for the log.</param>
/// <param name="Pieces">How many tokens.</param>
/// <param name="Delay">Until the answer's headers are sent, in milliseconds.</param>
/// <param name="Gap">Before each token, in milliseconds; 0 for all tokens at once.</param>
/// <param name="Used">The tokens that a call has used, in and out.</param>
internal sealed record ModelScript(string Name, int Pieces, int Delay = 0, int Gap = 0, int Used = 0)
{
    public const string Token = " token";

    public static byte[] Piece { get; } = ModelServer.Chunk($"{{\"content\":\"{Token}\"}}");

    private static readonly Dictionary<int, byte[]> s_texts = [];

    /// <summary>All pieces.</summary>
    public byte[] Text
    {
        get
        {
            lock (s_texts)
                return s_texts.TryGetValue(Pieces, out byte[]? text) ? text : s_texts[Pieces] = [.. Enumerable.Repeat(Piece, Pieces).SelectMany(p => p)];
        }
    }

    public static ModelScript Parse(string text) =>
        text.Split('_') is [var name, .. var numbers] && numbers.Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray() is [var pieces, var delay, var gap, var used]
            ? new ModelScript(name, pieces, delay, gap, used) : throw new FormatException($"'{text}' is no script");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}_{Pieces}_{Delay}_{Gap}_{Used}");
}

/// <summary>A call as the server saw it.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="Arrived">When it had come, in seconds of the machine's own clock.</param>
/// <param name="Ended">When it was answered.</param>
/// <param name="InFlight">How many were under way when it came, with it.</param>
/// <param name="Tokens">What it used.</param>
internal readonly record struct ModelRequest(string Endpoint, double Arrived, double Ended, int InFlight, int Tokens)
{
    public static ModelRequest Parse(string line)
    {
        string[] parts = line.Split(' ');
        return new ModelRequest(parts[0], Number(1), Number(2), (int)Number(3), (int)Number(4));

        double Number(int i) => double.Parse(parts[i], CultureInfo.InvariantCulture);
    }

    public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"{Endpoint} {Arrived:R} {Ended:R} {InFlight} {Tokens}");
}
