namespace Millstream.Definitions;

/// <summary>What tasks of a workflow file do while its job runs.</summary>
internal static class RunningTasks
{
    /// <summary>By id the first that has not ended, a run of a <c>for_each</c> counting for its task. Only those asked for are explained, which costs.</summary>
    public static IReadOnlyDictionary<string, AgentTaskInfo> FirstOf(Job job, IEnumerable<string> ids) => job.Runner.FirstTasks(ids);
}
