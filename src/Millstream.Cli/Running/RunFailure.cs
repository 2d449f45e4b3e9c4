namespace Millstream.Cli.Running;

/// <summary>A job's error for people.</summary>
internal static class RunFailure
{
    public static string Say(JobError error) =>
        $"millstream: {(error.Task is null ? "" : $"task {error.Task}: ")}{OutputText.CleanLines(error.Message)}";
}
