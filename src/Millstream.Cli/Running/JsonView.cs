using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millstream.Cli.Running;

/// <summary>One JSON object a line, each written out as soon as it is there. Stdout holds nothing else.</summary>
internal sealed class JsonView(Stream output) : IRunView
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            _buffer.ResetWrittenCount();
            using (Utf8JsonWriter writer = new(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                e.WriteTo(writer);
            _buffer.Write("\n"u8);
            await output.WriteAsync(_buffer.WrittenMemory);
        }
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
    }
}
