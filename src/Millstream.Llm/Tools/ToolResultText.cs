using System.Text.Json;

namespace Millstream;

/// <summary>A result as the model gets it: a string as it is, anything else as JSON, and no more than the tool's limit.</summary>
internal static class ToolResultText
{
    public static string Of(JsonElement result, int limit) => Cut(result.ValueKind switch
    {
        JsonValueKind.String => result.GetString()!,
        JsonValueKind.Undefined => "null",
        _ => result.GetRawText(),
    }, limit);

    /// <summary>Cuts in the middle: what a program says first and last matters most.</summary>
    public static string Cut(string text, int limit)
    {
        if (text.Length <= limit)
            return text;
        int head = Safe(text, limit / 2), tail = Safe(text, text.Length - (limit - limit / 2));
        return $"{text[..head]}\n… ({tail - head} of {text.Length} characters are left out here; ask for less to see them) …\n{text[tail..]}";
    }

    // Not between the two halves of a character.
    private static int Safe(string text, int at) => at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at;
}
