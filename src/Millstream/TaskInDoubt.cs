using System.Text.Json;

namespace Millstream;

/// <summary>
/// Asked of a person when a task that must not be repeated (<see cref="TaskPolicy.AtMostOnce"/>) may have run: its process ended, or its lease was lost, after it had
/// begun and before its end was known.
/// </summary>
/// <param name="Task">The task.</param>
/// <param name="Attempt">The attempt of which nobody knows what it did.</param>
/// <param name="IdempotencyKey">The key that the attempt had: with it the other side may be asked what it has seen.</param>
public sealed record TaskInDoubt(string Task, int Attempt, string IdempotencyKey) : Question<TaskDecision>;

/// <summary>What a person has found out about a task in doubt.</summary>
/// <param name="Action">What follows.</param>
/// <param name="Output">The output to go on with, for <see cref="TaskDecisionAction.Complete"/>.</param>
/// <param name="Reason">Why it failed, for <see cref="TaskDecisionAction.Fail"/>.</param>
public sealed record TaskDecision(TaskDecisionAction Action, JsonElement? Output = null, string? Reason = null);

/// <summary>What becomes of a task in doubt.</summary>
public enum TaskDecisionAction
{
    /// <summary>It has done nothing: it runs, as its next attempt.</summary>
    Retry,

    /// <summary>It has done its work, and this is what it gave.</summary>
    Complete,

    /// <summary>It has failed.</summary>
    Fail,
}
