using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>How many tokens a call may use, before it is made. A guess; the true use replaces it.</summary>
public static class TokenEstimate
{
    /// <summary>What a model may answer where nobody bounds it.</summary>
    public const int DefaultOutput = 1024;

    // About four characters of English make a token; a message and a tool have some around them. What is no text counts as a middle-sized picture.
    private const int CharactersPerToken = 4, PerMessage = 4, PerTool = 12, PerAttachment = 800;

    /// <summary>The tokens of the request and of the longest answer.</summary>
    public static long Of(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ArgumentNullException.ThrowIfNull(messages);
        long characters = options?.Instructions?.Length ?? 0, tokens = options?.MaxOutputTokens ?? DefaultOutput;
        foreach (ChatMessage message in messages)
        {
            tokens += PerMessage;
            foreach (AIContent content in message.Contents)
            {
                (long more, long other) = SizeOf(content);
                (characters, tokens) = (characters + more, tokens + other);
            }
        }
        foreach (AITool tool in options?.Tools ?? [])
        {
            tokens += PerTool;
            characters += tool.Name.Length + tool.Description.Length + (tool is AIFunctionDeclaration function ? function.JsonSchema.GetRawText().Length : 0);
        }
        if (options?.ResponseFormat is ChatResponseFormatJson { Schema: { } schema })
            characters += schema.GetRawText().Length;
        return tokens + (characters + CharactersPerToken - 1) / CharactersPerToken;
    }

    /// <summary>Rounded up to three significant bits (4, 5, 6, 7, 8, 10, 12, 14, 16, …), so that waiting calls come in few sizes and none is a quarter too large.</summary>
    internal static long Coarse(long tokens)
    {
        if (tokens <= 8)
            return Math.Max(1, tokens);
        long step = 1L << (61 - (int)long.LeadingZeroCount(tokens));
        return (Math.Min(tokens, 1L << 50) + step - 1) / step * step;
    }

    private static (long Characters, long Tokens) SizeOf(AIContent content) => content switch
    {
        TextContent text => (text.Text.Length, 0),
        TextReasoningContent reasoning => (reasoning.Text.Length, 0),
        FunctionCallContent call => (call.Name.Length + (call.Arguments?.Sum(a => a.Key.Length + (a.Value?.ToString()?.Length ?? 4) + 6) ?? 0), 8),
        FunctionResultContent result => (result.Result?.ToString()?.Length ?? 0, 8),
        DataContent or UriContent or HostedFileContent => (0, PerAttachment),
        _ => (0, 0),
    };
}
