namespace Millstream.Cli;

/// <summary>What the process says to the one that started it.</summary>
internal static class ExitCode
{
    public const int Completed = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Cancelled = 130;
    public const int Stopped = 143;
}
