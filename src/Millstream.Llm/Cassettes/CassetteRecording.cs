using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>A call that is being recorded. It comes onto the cassette when it has ended well.</summary>
internal sealed class CassetteRecording(Cassette cassette, LlmEndpoint endpoint, RequestDigest digest, TimeProvider time)
{
    private readonly List<CassetteUpdate> _updates = [];
    private long _last = time.GetTimestamp();

    public void Add(ChatResponseUpdate update)
    {
        double after = Math.Round(time.GetElapsedTime(_last).TotalMilliseconds, 1);
        _last = time.GetTimestamp();
        // A copy by its JSON, since the call goes on with the objects.
        ChatResponseUpdate copy = update.Clone();
        copy.RawRepresentation = null;
        _updates.Add(new CassetteUpdate(after, JsonSerializer.Deserialize<ChatResponseUpdate>(JsonSerializer.SerializeToUtf8Bytes(copy, AIJson.Options), AIJson.Options)!));
    }

    public void End(LlmReply reply) => cassette.Write(new CassetteExchange
    {
        Endpoint = endpoint.Id,
        Model = endpoint.Model,
        Provider = endpoint.Provider,
        Labels = endpoint.Labels,
        Price = endpoint.Price,
        Request = digest.Hash,
        Digest = digest,
        Interrupted = reply.FinishReason == LlmReply.Interrupted,
        ArgumentFaults = reply.ArgumentFaults,
        Usage = reply.Usage,
        Updates = _updates,
    });
}
