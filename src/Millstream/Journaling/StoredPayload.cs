using System.Text.Json;

namespace Millstream;

/// <summary>A payload as it came back from a store, whose type is not at hand.</summary>
/// <param name="TypeName">The name of the type that it was, where the stream shows it.</param>
/// <param name="Json">The payload.</param>
internal sealed record StoredPayload(string? TypeName, ReadOnlyMemory<byte> Json)
{
    public JsonElement Element => JsonSerializer.Deserialize<JsonElement>(Json.Span);

    /// <summary>How such payloads become JSON.</summary>
    public static PayloadType Type { get; } = new StoredType();

    private sealed class StoredType : PayloadType
    {
        public override Type Type => typeof(StoredPayload);

        public override JsonElement Write(object? value) => ((StoredPayload)value!).Element;

        public override object? Read(JsonElement json) => new StoredPayload(null, JsonSerializer.SerializeToUtf8Bytes(json));

        public override void Write(Utf8JsonWriter writer, object? value) => writer.WriteRawValue(((StoredPayload)value!).Json.Span, skipInputValidation: true);

        public override object? Read(ReadOnlySpan<byte> json) => new StoredPayload(null, json.ToArray());
    }
}
