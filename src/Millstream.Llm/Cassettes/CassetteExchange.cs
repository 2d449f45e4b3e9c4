using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>One recorded call: a line of a cassette. It holds no key, no header and no address.</summary>
internal sealed record CassetteExchange
{
    public required string Endpoint { get; init; }

    public required string Model { get; init; }

    public LlmProvider Provider { get; init; }

    public IReadOnlyList<string> Labels { get; init; } = [];

    public LlmPrice? Price { get; init; }

    /// <summary>The hash of the whole request.</summary>
    public required string Request { get; init; }

    public required RequestDigest Digest { get; init; }

    /// <summary>Whether an interrupt cut it off.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Interrupted { get; init; }

    /// <summary>What JSON does not keep of calls whose arguments are none.</summary>
    public IReadOnlyDictionary<string, string> ArgumentFaults { get; init; } = new Dictionary<string, string>();

    public UsageDetails? Usage { get; init; }

    public required IReadOnlyList<CassetteUpdate> Updates { get; init; }
}

/// <summary>One piece of an answer.</summary>
/// <param name="After">The milliseconds since the piece before it, or since the call.</param>
/// <param name="Update">The piece.</param>
internal sealed record CassetteUpdate(double After, ChatResponseUpdate Update);
