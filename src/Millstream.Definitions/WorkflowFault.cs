namespace Millstream.Definitions;

/// <summary>One thing that is wrong in a workflow file or its input.</summary>
/// <param name="File">The file as it was named to the reader; empty for text without a file.</param>
/// <param name="Line">The line, from 1; 0 where the fault has no place in a file.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Message">What is wrong, the name or value, and what to do.</param>
public sealed record WorkflowFault(string File, int Line, int Column, string Message)
{
    /// <summary>The form <c>file:line:column: message</c>, without the file for text that has none, or only the message where there is no place.</summary>
    public override string ToString() => Line > 0 ? $"{(File.Length > 0 ? File + ":" : "")}{Line}:{Column}: {Message}" : Message;
}

/// <summary>A workflow file, or the input given to it, is wrong. Holds every fault, not only the first.</summary>
public sealed class WorkflowFileException : Exception
{
    internal WorkflowFileException(IReadOnlyList<WorkflowFault> faults) : base(string.Join('\n', faults)) => Faults = faults;

    /// <summary>All faults, in the order of the file.</summary>
    public IReadOnlyList<WorkflowFault> Faults { get; }
}
