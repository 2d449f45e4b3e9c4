namespace Millstream.Definitions;

/// <summary>What tasks of a workflow file do while its job runs.</summary>
internal static class RunningTasks
{
    /// <summary>Whether this process runs the job, so that it knows more of it than its store.</summary>
    public static bool AreHere(Job job) => job.Source is JobRunner or LiveJob;

    /// <summary>By id the first that has not ended, a run of a <c>for_each</c> counting for its task. Only those asked for are explained, which costs.</summary>
    public static IReadOnlyDictionary<string, AgentTaskInfo> FirstOf(Job job, IEnumerable<string> ids) =>
        job.Source.InMemory is { } runner ? runner.FirstTasks(ids) : new Dictionary<string, AgentTaskInfo>();
}
