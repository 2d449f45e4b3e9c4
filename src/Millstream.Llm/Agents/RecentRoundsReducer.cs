using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// Keeps system messages, the first message of a user (what the conversation is about) and the newest messages; unlike the counting reducer of
/// Microsoft.Extensions.AI it keeps tool calls, and never a call without its result or a result without its call.
/// </summary>
/// <param name="count">How many messages are kept at most, beside the system messages and the first one.</param>
public sealed class RecentRoundsReducer(int count) : IChatReducer
{
    private readonly int _count = count >= 1 ? count : throw new ArgumentOutOfRangeException(nameof(count), count, "Give 1 or more messages.");

    /// <inheritdoc/>
    public Task<IEnumerable<ChatMessage>> ReduceAsync(IEnumerable<ChatMessage> messages, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        List<ChatMessage> all = [.. messages];
        ChatMessage? first = all.Find(m => m.Role == ChatRole.User);
        List<ChatMessage> rest = all.FindAll(m => m.Role != ChatRole.System && m != first);
        int from = Math.Max(0, rest.Count - _count);
        // Results stand behind the message that called for them, so a kept part may not begin with one.
        while (from < rest.Count && rest[from].Role == ChatRole.Tool)
            from++;
        IEnumerable<ChatMessage> kept = [.. all.Where(m => m.Role == ChatRole.System), .. first is null ? [] : (ChatMessage[])[first], .. rest[from..]];
        return Task.FromResult(kept);
    }
}
