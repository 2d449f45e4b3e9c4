namespace Millstream;

/// <summary>How a planner's answer becomes a workflow that runs.</summary>
public sealed record PlanPolicy
{
    /// <summary>What reads and checks plans, as <c>Millstream.Definitions</c> does for workflow files.</summary>
    public required IWorkflowReader Reader { get; init; }

    /// <summary>What plans may use.</summary>
    public required WorkflowRules Rules { get; init; }

    /// <summary>Whether a person must allow each plan before it runs.</summary>
    public ToolApproval Approval { get; init; }

    /// <summary>How often another plan may be made after one has failed; 1 by default.</summary>
    public int Replans { get; init; } = 1;
}
