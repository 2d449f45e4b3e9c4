using System.Net;

namespace Millstream;

/// <summary>
/// What one call saw of HTTP. It flows with the call into the endpoint's handler, which gives it the status and the headers and takes the key from it: so no
/// client of a provider ever knows a key, nor can show one.
/// </summary>
internal sealed class LlmExchange(string? key, TimeProvider time)
{
    private static readonly AsyncLocal<LlmExchange?> Slot = new();

    private long _progress = time.GetTimestamp();

    /// <summary>The exchange of the call that this code is part of.</summary>
    public static LlmExchange? Current
    {
        get => Slot.Value;
        set => Slot.Value = value;
    }

    public string? Key => key;

    /// <summary>Whether a request was sent.</summary>
    public bool IsSent { get; set; }

    /// <summary>The status of the response; null where there was none.</summary>
    public HttpStatusCode? Status { get; private set; }

    public LlmHeaders? Headers { get; private set; }

    /// <summary>What an error's response says, without the key.</summary>
    public string? ErrorBody { get; set; }

    /// <summary>Called when the headers of a good response are there.</summary>
    public Action? OnArrived { get; init; }

    /// <summary>Fires when the call has to stop.</summary>
    public CancellationToken Stop { get; set; }

    /// <summary>When something came last.</summary>
    public long LastProgress => Volatile.Read(ref _progress);

    public void Progress() => Volatile.Write(ref _progress, time.GetTimestamp());

    public void Answered(HttpResponseMessage response)
    {
        Status = response.StatusCode;
        Headers = LlmHeaders.Read(response, time.GetUtcNow());
        if (response.IsSuccessStatusCode)
            OnArrived?.Invoke();
    }

    /// <summary>A text without the key.</summary>
    public string Clean(string text) => string.IsNullOrEmpty(key) ? text : text.Replace(key, "[key]", StringComparison.Ordinal);
}
