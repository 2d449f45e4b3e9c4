namespace Millstream;

/// <summary>A command could not be run in isolation, so it was not run. The message says why and what to do.</summary>
public sealed class SandboxException : Exception
{
    /// <summary>Makes one with its message.</summary>
    public SandboxException(string message) : base(message)
    {
    }

    /// <summary>Makes one with its message and what lies beneath.</summary>
    public SandboxException(string message, Exception inner) : base(message, inner)
    {
    }
}
