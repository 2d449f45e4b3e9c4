using System.Text.Json;
using Microsoft.Extensions.AI;
using Millstream.Definitions;

namespace Millstream.Cli.Running.Agents;

/// <summary>Events of LLM agents, also where a store or a child gave them as JSON.</summary>
internal static class AgentEvents
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int Width = 160;

    public static LlmEvent? Of(JobEvent e)
    {
        if (e.Kind != JobEventKinds.Event)
            return null;
        if (e.Value is LlmEvent known)
            return known;
        try
        {
            return e.Data is { ValueKind: JsonValueKind.Object } data && data.TryGetProperty("type", out _) ? data.Deserialize<LlmEvent>(Json.Options) : null;
        }
        catch (Exception x) when (x is JsonException or NotSupportedException)
        {
            // An event of an agent of another kind.
            return null;
        }
    }

    /// <summary>Arguments as a person reads them: one line, shortened.</summary>
    public static string Brief(IDictionary<string, object?>? arguments, int length)
    {
        if (arguments is not { Count: > 0 })
            return "";
        string text = arguments.Count == 1 && TextOf(arguments.First().Value) is { } single ? single : JsonSerializer.Serialize(arguments, Relaxed);
        return OutputText.Clean(OutputText.Shortened(text.ReplaceLineEndings(" "), length));
    }

    /// <summary>A call with all its arguments, in several lines: what is to be allowed is shown whole.</summary>
    public static string Whole(FunctionCallContent call) => string.Join('\n', (call.Arguments ?? new Dictionary<string, object?>())
        .Select(a => $"    {OutputText.Clean(a.Key)}: {OutputText.CleanLines(TextOf(a.Value) ?? JsonSerializer.Serialize(a.Value, Relaxed)).ReplaceLineEndings("\n      ")}")
        .Prepend($"  {OutputText.Clean(call.Name)}"));

    /// <summary>Why a call waits, the call, and how it is allowed where that can be told, in several lines.</summary>
    public static string Asked(WaitingCall call, Func<JobId, string, string>? approve) =>
        $"{OutputText.Clean(call.Asked.Why)}:\n{(call.Call is { } asked ? Whole(asked) : $"  {call.ToolName}")}{(approve is null ? "" : $"\n  {approve(call.Job, call.CallId)}")}";

    /// <summary>An event in the words that all views have; null for one that says nothing by itself.</summary>
    public static string? InWords(LlmEvent said) => said switch
    {
        LlmEvent.Steered steered => $"you: {FirstLine(steered.Text, Width)}",
        LlmEvent.Interrupted => "interrupted; it waits for a message",
        LlmEvent.LimitReached limit => FormattableString.Invariant($"the limit {limit.Limit} of {limit.Allowed} is reached ({limit.Used}){(limit.Action == LimitAction.Ask ? "; it waits for other limits" : "")}"),
        LlmEvent.ContextReduced reduced => $"the model sees {reduced.Dropped} messages less from here on",
        LlmEvent.OutputRejected rejected => $"the answer is to be mended: {FirstLine(rejected.Reason, Width)}",
        LlmEvent.SignalIgnored ignored => $"signal {OutputText.Clean(ignored.Signal)} was ignored: {OutputText.Clean(ignored.Reason)}",
        _ => null,
    };

    /// <summary>The first line of a text, and how much more there is.</summary>
    public static string FirstLine(string text, int length)
    {
        string trimmed = text.Trim();
        int end = trimmed.IndexOf('\n');
        string line = OutputText.Clean(OutputText.Shortened((end < 0 ? trimmed : trimmed[..end]).TrimEnd(), length));
        int lines = trimmed.Count(c => c == '\n');
        return lines == 0 ? line : $"{line} (+{lines} {(lines == 1 ? "line" : "lines")})";
    }

    private static string? TextOf(object? value) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString(),
        _ => null,
    };
}
