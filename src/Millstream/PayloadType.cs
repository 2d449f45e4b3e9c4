using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Millstream;

/// <summary>How values of one type become JSON and come back.</summary>
internal abstract class PayloadType
{
    public abstract Type Type { get; }

    public static PayloadType Of<T>() => PayloadType<T>.Default;

    /// <summary>Of a value whose static type is not known.</summary>
    public static PayloadType OfRuntime { get; } = new RuntimePayloadType();

    /// <summary>Whether a value can hold a <see cref="Secret"/>.</summary>
    public virtual bool HoldsSecrets => false;

    public abstract JsonElement Write(object? value);

    public abstract object? Read(JsonElement json);

    public abstract void Write(Utf8JsonWriter writer, object? value);

    public abstract object? Read(ReadOnlySpan<byte> json);

    /// <summary>The value as the bytes that a journal holds.</summary>
    public byte[] ToBytes(object? value)
    {
        using PayloadBuffer.Lease bytes = PayloadBuffer.Write(this, value);
        return bytes.Json.ToArray();
    }

    /// <summary>How many bytes a journal needs for the value.</summary>
    public int SizeOf(object? value)
    {
        using PayloadBuffer.Lease bytes = PayloadBuffer.Write(this, value);
        return bytes.Json.Length;
    }

    /// <summary>Whether a value becomes these bytes.</summary>
    public bool IsSame(ReadOnlySpan<byte> json, object? value)
    {
        using PayloadBuffer.Lease bytes = PayloadBuffer.Write(this, value);
        return bytes.Json.SequenceEqual(json);
    }

    /// <summary>The value as a journal gives it back.</summary>
    /// <param name="value">The value.</param>
    /// <param name="size">How many bytes it takes.</param>
    /// <param name="most">Above so many it is not read back, and null is returned.</param>
    public object? Copy(object? value, int most, out int size)
    {
        using PayloadBuffer.Lease bytes = PayloadBuffer.Write(this, value);
        size = bytes.Json.Length;
        return size <= most ? Read(bytes.Json) : null;
    }

    private sealed class RuntimePayloadType : PayloadType
    {
        public override Type Type => typeof(object);

        public override JsonElement Write(object? value) => JsonSerializer.SerializeToElement(value, value?.GetType() ?? typeof(object), AgentContract.DefaultOptions);

        public override object Read(JsonElement json) => json;

        public override void Write(Utf8JsonWriter writer, object? value) => JsonSerializer.Serialize(writer, value, value?.GetType() ?? typeof(object), AgentContract.DefaultOptions);

        public override object Read(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<JsonElement>(json);
    }
}

/// <inheritdoc/>
internal sealed class PayloadType<T>(JsonTypeInfo<T>? info) : PayloadType
{
    private JsonTypeInfo<T>? _info = info;
    private bool? _holdsSecrets;

    public static PayloadType<T> Default { get; } = new(null);

    public override Type Type => typeof(T);

    public override bool HoldsSecrets => _holdsSecrets ??= FindSecrets();

    private JsonTypeInfo<T> Info => _info ??= (JsonTypeInfo<T>)AgentContract.DefaultOptions.GetTypeInfo(typeof(T));

    private bool FindSecrets()
    {
        try
        {
            return SecretTypes.Hold(Info);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException)
        {
            // In memory nothing need be JSON.
            return false;
        }
    }

    public override JsonElement Write(object? value) => value is JsonElement element ? element : JsonSerializer.SerializeToElement((T)value!, Info);

    public override object? Read(JsonElement json) => typeof(T) == typeof(JsonElement) ? json : json.Deserialize(Info);

    public override void Write(Utf8JsonWriter writer, object? value)
    {
        if (value is JsonElement element)
            element.WriteTo(writer);
        else
            JsonSerializer.Serialize(writer, (T)value!, Info);
    }

    public override object? Read(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Info);
}
