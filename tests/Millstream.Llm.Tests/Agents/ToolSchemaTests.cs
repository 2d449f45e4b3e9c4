using System.Text.Json;

namespace Millstream.Llm.Tests;

public sealed class ToolSchemaTests
{
    [Fact]
    public void Schema_OfOneIdTwice_IsReadTwiceAndEachIsItsOwn()
    {
        ToolSchema text = Of("""{"$id":"https://example.com/one","type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}""");
        ToolSchema number = Of("""{"$id":"https://example.com/one","type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"number"}}}""");
        JsonElement value = Json("""{"a":"x"}""");
        Assert.Null(text.Fault(value));
        Assert.StartsWith("/a: ", number.Fault(value), StringComparison.Ordinal);
    }

    [Fact]
    public void Schema_ThatRefersToAnothers_IsRefusedOrFitsNothing()
    {
        _ = Of("""{"$id":"https://example.com/other","type":"object"}""");
        string? fault;
        try
        {
            fault = Of("""{"type":"object","properties":{"a":{"$ref":"https://example.com/other"}}}""").Fault(Json("""{"a":{}}"""));
        }
        catch (ArgumentException e)
        {
            fault = e.Message;
        }
        Assert.Contains("https://example.com/other", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"no\"")]
    [InlineData("5")]
    [InlineData("""{"type":"object","properties":5}""")]
    [InlineData("""{"type":"nonsense"}""")]
    [InlineData("""{"$schema":"https://example.com/unknown","type":"object"}""")]
    [InlineData("""{"pattern":"("}""")]
    public void Schema_ThatIsNone_IsAnArgumentException(string schema) => Assert.Throws<ArgumentException>(() => Of(schema));

    [Fact]
    public void Schema_ThatRefersToItself_EndsNothing()
    {
        string? fault;
        try
        {
            fault = Of("""{"$ref":"#"}""").Fault(Json("{}"));
        }
        catch (ArgumentException e)
        {
            fault = e.Message;
        }
        Assert.NotNull(fault);
        Assert.Null(Of("""{"type":"object","properties":{"a":{"$ref":"#"}}}""").Fault(Json("""{"a":{"a":{}}}""")));
    }

    private static ToolSchema Of(string schema) => new(Json(schema));

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);
}
