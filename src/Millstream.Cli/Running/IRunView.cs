namespace Millstream.Cli.Running;

/// <summary>Shows a run: JSON lines, plain lines, or a live table.</summary>
internal interface IRunView
{
    /// <summary>Reads the stream to its end and shows it.</summary>
    Task ShowAsync(IAsyncEnumerable<JobEvent> events);

    /// <summary>Says how it ended, in what is left to say.</summary>
    void End(JobEnding ending, TimeSpan elapsed);
}
