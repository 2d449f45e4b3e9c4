using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>Makes a conversation shorter in a task, and records what is kept by its place rather than again.</summary>
internal static class ContextReduction
{
    public const string TaskId = "reduce";

    /// <summary>The conversation for the next turn: the same where it is short enough.</summary>
    public static async Task<LlmState> ReduceAsync(LlmState state, ContextPolicy? policy, AgentContext<LlmEvent, LlmSignal> context)
    {
        if (policy is null || state.Messages.Count <= policy.MaxMessages)
            return state;
        int tail = LastRound(state.Messages);
        IReadOnlyList<ChatMessage> head = [.. state.Messages.Take(tail)];
        IChatReducer reducer = policy.Reducer ?? new RecentRoundsReducer(Math.Max(1, policy.MaxMessages / 2));
        AgentTask<string, Reduced> task = AgentTask.Create<string, Reduced>(TaskId, async (_, run) => Reduced.Of(head, await reducer.ReduceAsync(head, run.CancellationToken)));
        Reduced reduced = await context.RunAsync(task, state.Hash);
        List<ChatMessage> kept = WithoutHalves([.. reduced.Messages.Select(m => m.At is { } at ? head[at] : m.New!)]);
        kept.AddRange(state.Messages.Skip(tail));
        if (kept.Count >= state.Messages.Count)
            return state;
        context.Emit(new LlmEvent.ContextReduced(state.Messages.Count - kept.Count, kept.Count));
        // The chain goes on: it stands for all that the conversation was.
        HashSet<string> left = [.. CallsOf(kept)];
        return state with { Messages = kept, DroppedCalls = [.. state.DroppedCalls, .. CallsOf(state.Messages).Where(id => !left.Contains(id))] };
    }

    private static IEnumerable<string> CallsOf(IEnumerable<ChatMessage> messages) => messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Select(c => c.CallId);

    /// <summary>Where the last message that called tools stands, if its results are the end of the conversation; else its end.</summary>
    private static int LastRound(IReadOnlyList<ChatMessage> messages)
    {
        int at = messages.Count - 1;
        while (at > 0 && messages[at].Role == ChatRole.Tool)
            at--;
        return messages[at].Contents.OfType<FunctionCallContent>().Any() ? at : messages.Count;
    }

    // A reducer that knows nothing of tools may have taken a call and left its result.
    private static List<ChatMessage> WithoutHalves(List<ChatMessage> messages)
    {
        HashSet<string> calls = [.. messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Select(c => c.CallId)];
        HashSet<string> whole = [.. messages.SelectMany(m => m.Contents).OfType<FunctionResultContent>().Select(r => r.CallId).Where(calls.Contains)];
        List<ChatMessage> kept = [];
        foreach (ChatMessage message in messages)
        {
            AIContent[] contents = [.. message.Contents.Where(c => c switch
            {
                FunctionCallContent call => whole.Contains(call.CallId),
                FunctionResultContent result => whole.Contains(result.CallId),
                _ => true,
            })];
            if (contents.Length == message.Contents.Count)
                kept.Add(message);
            else if (contents.Length > 0)
                kept.Add(new ChatMessage(message.Role, contents) { AuthorName = message.AuthorName, MessageId = message.MessageId });
        }
        return kept;
    }
}

/// <summary>What a reducer gave.</summary>
internal sealed record Reduced(IReadOnlyList<ReducedMessage> Messages)
{
    public static Reduced Of(IReadOnlyList<ChatMessage> before, IEnumerable<ChatMessage> after)
    {
        Dictionary<ChatMessage, int> places = new(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < before.Count; i++)
            places[before[i]] = i;
        return new Reduced([.. after.Select(m => places.TryGetValue(m, out int at) ? new ReducedMessage(at, null) : new ReducedMessage(null, m))]);
    }
}

/// <summary>A message that was there, by its place, or a new one.</summary>
internal sealed record ReducedMessage(int? At, [property: JsonConverter(typeof(AIJsonConverter<ChatMessage>))] ChatMessage? New);
