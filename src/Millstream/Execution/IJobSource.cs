using System.Text.Json;

namespace Millstream;

/// <summary>What a <see cref="Job"/> stands on: the runner of a job in this process, or what a store has of any job.</summary>
internal interface IJobSource
{
    JobId Id { get; }

    string AgentId { get; }

    string AgentVersion { get; }

    JobStatus Status { get; }

    /// <summary>The runner of a job that is in the memory of this process, else null.</summary>
    JobRunner? InMemory { get; }

    /// <summary>The types of the agent; null where its code is not at hand.</summary>
    AgentContract? Contract { get; }

    Task<JobEnding> Ending { get; }

    IReadOnlyList<AgentTaskInfo> Tasks();

    IReadOnlyList<string> WaitsFor();

    IReadOnlyList<OpenQuestion> Questions();

    /// <summary>The entries from a number on, with the numbers that they are shown under, until the last one.</summary>
    IAsyncEnumerable<(JournalEntry Entry, long Number)> ReadAsync(long from, CancellationToken token);

    Task<SignalResult> SignalAsync(JsonElement signal, string? id);

    Task<SignalResult> AnswerAsync(string questionId, JsonElement reply);

    Task<SignalResult> CancelAsync(string? reason);
}
