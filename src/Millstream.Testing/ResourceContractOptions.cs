namespace Millstream;

/// <summary>What a contract test needs to know of a resource.</summary>
public sealed record ResourceContractOptions
{
    /// <summary>Uses what a lease gives, as a task does: <c>task.Lease.Get&lt;T&gt;()</c>. Null for holding it only.</summary>
    public Func<TaskContext, Task>? Use { get; init; }

    /// <summary>Counts what there is outside by now because of sessions: processes, connections, folders. Null where nothing can be counted.</summary>
    public Func<int>? CountOpen { get; init; }

    /// <summary>How long, in real time, its code may be at work before it counts as hanging; 10 s by default.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);
}
