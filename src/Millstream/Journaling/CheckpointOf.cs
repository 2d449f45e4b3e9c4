using System.Text;
using System.Text.Json;

namespace Millstream;

/// <summary>All that a job is between two rounds.</summary>
/// <param name="Context">What its context keeps.</param>
/// <param name="Commands">How many commands there were.</param>
/// <param name="PassedOn">How many signals were passed on to children.</param>
/// <param name="Senders">The senders' ids of the signals that came.</param>
/// <param name="State">The agent's state, as JSON.</param>
/// <param name="Seed">Of its ids and random numbers; null where it is the job's id.</param>
internal sealed record CheckpointOf(ContextState Context, int Commands, int PassedOn, IReadOnlyList<string> Senders, ReadOnlyMemory<byte> State, string? Seed = null)
{
    /// <summary>About how many bytes it takes in a journal.</summary>
    public long Size => 100 + State.Length + Senders.Sum(s => Encoding.UTF8.GetByteCount(s) + 3L) + Context.Signals.Sum(s => s.Length + 1L);

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("commands", Commands);
        writer.WriteNumber("passedOn", PassedOn);
        writer.WriteNumber("ids", Context.Ids);
        writer.WriteNumber("questions", Context.Questions);
        if (Seed is not null)
            writer.WriteString("seed", Seed);
        writer.WriteStartArray("senders");
        foreach (string sender in Senders)
            writer.WriteStringValue(sender);
        writer.WriteEndArray();
        writer.WriteStartArray("signals");
        foreach (ReadOnlyMemory<byte> signal in Context.Signals)
            writer.WriteRawValue(signal.Span, skipInputValidation: true);
        writer.WriteEndArray();
        writer.WritePropertyName("state");
        writer.WriteRawValue(State.Span, skipInputValidation: true);
        writer.WriteEndObject();
    }

    public static CheckpointOf Read(JsonElement json) => new(
        new ContextState(json.GetProperty("ids").GetInt32(), json.GetProperty("questions").GetInt32(), [.. json.GetProperty("signals").EnumerateArray().Select(Raw)]),
        json.GetProperty("commands").GetInt32(), json.GetProperty("passedOn").GetInt32(),
        [.. json.GetProperty("senders").EnumerateArray().Select(s => s.GetString()!)], Raw(json.GetProperty("state")), EntryReader.SeedOf(json));

    private static ReadOnlyMemory<byte> Raw(JsonElement json) => Encoding.UTF8.GetBytes(json.GetRawText());
}

/// <summary>What the context of a body keeps from round to round.</summary>
/// <param name="Ids">How many ids it gave.</param>
/// <param name="Questions">How many questions were asked.</param>
/// <param name="Signals">The signals that were not read, as JSON.</param>
internal sealed record ContextState(int Ids, int Questions, IReadOnlyList<ReadOnlyMemory<byte>> Signals);
