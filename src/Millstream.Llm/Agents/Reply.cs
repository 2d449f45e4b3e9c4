using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What a model said in one call: one message, with calls whose ids are unique in the job.</summary>
/// <param name="Message">The message for the conversation; null where the model said nothing.</param>
/// <param name="Text">Its text.</param>
/// <param name="Reasoning">Its reasoning.</param>
/// <param name="Calls">The tools that it calls.</param>
/// <param name="Faults">By call id why its arguments could not be read.</param>
internal sealed record Reply(ChatMessage? Message, string Text, string Reasoning, IReadOnlyList<FunctionCallContent> Calls, IReadOnlyDictionary<string, string> Faults)
{
    public static Reply Of(LlmReply reply, LlmState state)
    {
        HashSet<string> known = [.. state.DroppedCalls, .. state.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Select(c => c.CallId)];
        Dictionary<string, string> faults = new(StringComparer.Ordinal);
        List<AIContent> contents = [];
        // What a server ran itself it may give results of; results of our calls and approvals are not for a model to say.
        HashSet<string> others = [.. reply.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Where(c => c.InformationalOnly).Select(c => c.CallId)];
        foreach (AIContent content in reply.Messages.SelectMany(m => m.Contents))
        {
            if (content is UsageContent or ToolApprovalResponseContent || (content is FunctionResultContent result && !others.Contains(result.CallId)))
                continue;
            contents.Add(content is FunctionCallContent call ? WithOwnId(call, known, state.Turn, contents.Count, reply.ArgumentFaults, faults) : content);
        }
        ChatMessage? message = contents.Count == 0 ? null : new ChatMessage(ChatRole.Assistant, contents);
        return new Reply(
            message, message?.Text ?? "", string.Concat(contents.OfType<TextReasoningContent>().Select(r => r.Text)),
            [.. contents.OfType<FunctionCallContent>().Where(c => !c.InformationalOnly)], faults);
    }

    // People and shells see them.
    private static bool IsId(string? id) => id is { Length: > 0 and <= 128 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');

    // Some servers give no ids, and some count them anew in each answer.
    private static FunctionCallContent WithOwnId(FunctionCallContent call, HashSet<string> known, int turn, int place, IReadOnlyDictionary<string, string> given, Dictionary<string, string> faults)
    {
        FunctionCallContent own = call;
        // What a server ran itself is not called here, and its result names it.
        if (call.InformationalOnly)
            return call;
        if (!IsId(call.CallId) || !known.Add(call.CallId))
        {
            string id = $"call_{turn}_{place}";
            for (int more = 2; !known.Add(id); more++)
                id = $"call_{turn}_{place}_{more}";
            own = new FunctionCallContent(id, call.Name, call.Arguments) { AdditionalProperties = call.AdditionalProperties };
        }
        if (call.CallId is not null && given.TryGetValue(call.CallId, out string? fault))
            faults[own.CallId] = fault;
        return own;
    }
}
