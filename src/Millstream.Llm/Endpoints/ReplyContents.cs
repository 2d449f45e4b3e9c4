using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What of a model's message goes on: what survives as JSON, so that a job reads the same on its first run and after a crash.</summary>
internal static class ReplyContents
{
    /// <returns>Whether something is left.</returns>
    public static bool Clean(ChatMessage message, bool isWhole)
    {
        message.RawRepresentation = null;
        message.AdditionalProperties = Clean(message.AdditionalProperties);
        for (int i = message.Contents.Count - 1; i >= 0; i--)
        {
            AIContent content = message.Contents[i];
            // A call whose end did not come would be run as it stands, and without its like there is nothing to answer.
            if (content is UsageContent || (content is FunctionCallContent && !isWhole))
            {
                message.Contents.RemoveAt(i);
                continue;
            }
            content.RawRepresentation = null;
            content.AdditionalProperties = Clean(content.AdditionalProperties);
        }
        return message.Contents.Count > 0;
    }

    private static AdditionalPropertiesDictionary? Clean(AdditionalPropertiesDictionary? properties)
    {
        if (properties is null)
            return null;
        AdditionalPropertiesDictionary kept = [];
        foreach ((string name, object? value) in properties)
        {
            if (value is string or bool or int or long or double or float or decimal or JsonElement)
                kept[name] = value;
        }
        return kept.Count > 0 ? kept : null;
    }
}
