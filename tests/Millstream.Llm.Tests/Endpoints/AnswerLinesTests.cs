using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Llm.Tests.Endpoints;

public sealed class AnswerLinesTests
{
    [Theory]
    [InlineData("text/event-stream", ": still here\n\n", false)]
    [InlineData("text/event-stream", "event: ping\ndata: {\"type\": \"ping\"}\n\n", false)]
    [InlineData("text/event-stream", "event: ping\r\ndata: {}\r\n\r\n", false)]
    [InlineData("text/event-stream", "event: delta\n\n", false)]
    [InlineData("text/event-stream", "data: \n\n", false)]
    [InlineData("text/event-stream", "data: without an end", false)]
    [InlineData("text/event-stream", "data: {}\n", true)]
    [InlineData("text/event-stream", "data:{}\r\n", true)]
    [InlineData("text/event-stream", "event: ping\ndata: {}\n\nevent: delta\ndata: {}\n\n", true)]
    [InlineData("text/event-stream", "event: pings\rdata: {}\r\r", true)]
    [InlineData("application/x-ndjson", "\n \n", false)]
    [InlineData("application/x-ndjson", "{\"half\":", false)]
    [InlineData("application/x-ndjson", "{}\n", true)]
    public async Task Read_OnlyPiecesOfAnAnswer_AreProgress(string type, string text, bool isProgress)
    {
        FakeTimeProvider clock = new();
        LlmExchange exchange = new(null, clock);
        long before = exchange.LastProgress;
        clock.Advance(TimeSpan.FromSeconds(1));
        StreamContent inner = new(new MemoryStream(Encoding.UTF8.GetBytes(text)));
        inner.Headers.ContentType = new MediaTypeHeaderValue(type);
        using WatchedContent content = new(inner, exchange);
        await using Stream stream = await content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] one = new byte[1];
        while (await stream.ReadAsync(one, TestContext.Current.CancellationToken) > 0)
            ;
        Assert.Equal(isProgress, exchange.LastProgress > before);
    }
}
