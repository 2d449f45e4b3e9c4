using System.Buffers;
using System.Text.Json;

namespace Millstream;

/// <summary>Where this thread writes payloads that are soon read or copied: a buffer a value costs more than the value.</summary>
internal sealed class PayloadBuffer
{
    private const int Kept = 64 * 1024;

    [ThreadStatic]
    private static PayloadBuffer? s_free;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly Utf8JsonWriter _writer;

    private PayloadBuffer() => _writer = new Utf8JsonWriter(_bytes, new JsonWriterOptions { Encoder = AgentContract.DefaultOptions.Encoder, SkipValidation = true });

    /// <summary>Writes a value; its bytes are there until the lease is disposed.</summary>
    public static Lease Write(PayloadType type, object? value)
    {
        // A converter of the value's type may come here again, and makes one of its own.
        PayloadBuffer buffer = s_free ?? new PayloadBuffer();
        s_free = null;
        type.Write(buffer._writer, value);
        buffer._writer.Flush();
        return new Lease(buffer);
    }

    internal readonly ref struct Lease(PayloadBuffer buffer)
    {
        public ReadOnlySpan<byte> Json => buffer._bytes.WrittenSpan;

        public void Dispose()
        {
            if (buffer._bytes.Capacity > Kept)
                return;
            buffer._bytes.ResetWrittenCount();
            buffer._writer.Reset();
            s_free = buffer;
        }
    }
}
