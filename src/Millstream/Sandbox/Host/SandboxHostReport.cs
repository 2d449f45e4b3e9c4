namespace Millstream;

/// <summary>How far something works on this host.</summary>
public enum SandboxFindingState
{
    /// <summary>It was tried and works.</summary>
    Ok,

    /// <summary>It works with a limitation that the detail names.</summary>
    Partial,

    /// <summary>It does not work here.</summary>
    Missing,
}

/// <summary>One thing that was looked at on this host.</summary>
/// <param name="Name">What it is, as <c>memory limit</c>.</param>
/// <param name="State">How far it works.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Remedy">What to do to get it; empty where nothing is to be done.</param>
public sealed record SandboxFinding(string Name, SandboxFindingState State, string Detail, string Remedy = "");

/// <summary>What sandboxes hold on this host, and what they do not.</summary>
/// <param name="Findings">What was looked at, in the order of its weight.</param>
/// <param name="CanIsolate">Whether commands run in isolation; if not, they are refused.</param>
public sealed record SandboxHostReport(IReadOnlyList<SandboxFinding> Findings, bool CanIsolate);
