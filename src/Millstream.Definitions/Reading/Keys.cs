namespace Millstream.Definitions;

/// <summary>The keys that each part of a workflow file may have; the published schema has the same.</summary>
internal static class Keys
{
    public static readonly string[] Workflow = ["$schema", "kind", "name", "version", "description", "input", "resources", "on_failure", "tasks", "output"];
    public static readonly string[] Input = ["type", "default", "description"];
    public static readonly string[] Task =
        ["uses", "with", "needs", "for_each", "batch", "max_parallel", "if", "retry", "timeout", "requires", "at_most_once", "continue_on_error", "description"];
    public static readonly string[] Retry = ["attempts", "delay", "factor", "max_delay", "jitter"];
    public static readonly string[] Requirement = ["type", "amount", "exclusive", "labels"];
}
