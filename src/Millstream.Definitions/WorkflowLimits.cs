namespace Millstream.Definitions;

/// <summary>Bounds on what the reader accepts, so that a hostile file costs little.</summary>
public sealed record WorkflowLimits
{
    /// <summary>The defaults.</summary>
    public static WorkflowLimits Default { get; } = new();

    /// <summary>Bytes of the file, 1 MiB by default.</summary>
    public int FileBytes { get; init; } = 1024 * 1024;

    /// <summary>How deep maps and lists may nest, 32 by default.</summary>
    public int Depth { get; init; } = 32;

    /// <summary>How many aliases (<c>*name</c>) a file may use, 100 by default.</summary>
    public int Aliases { get; init; } = 100;

    /// <summary>How many values a file may hold after its aliases are followed, 100,000 by default.</summary>
    public int Values { get; init; } = 100_000;

    /// <summary>Characters of one expression, 1,024 by default and at most (the expression parser is recursive).</summary>
    public int ExpressionLength { get; init; } = 1024;

    /// <summary>How deep a workflow file may name further workflow files, 8 by default.</summary>
    public int Nesting { get; init; } = 8;
}
