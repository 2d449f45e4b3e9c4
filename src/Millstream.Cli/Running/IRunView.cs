namespace Millstream.Cli.Running;

/// <summary>Shows a run: JSON lines, plain lines, or a live table.</summary>
internal interface IRunView
{
    /// <summary>Reads the stream to its end and shows it.</summary>
    Task ShowAsync(IAsyncEnumerable<JobEvent> events);

    /// <summary>Shows nothing more, where the process ends without the job: what is printed next stands on a line of its own, with a cursor.</summary>
    Task LeaveAsync() => Task.CompletedTask;

    /// <summary>Says how it ended, in what is left to say.</summary>
    void End(JobEnding ending, TimeSpan elapsed);
}
