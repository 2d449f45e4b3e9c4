namespace Millstream.Cli.Running;

/// <summary>A job's error for people.</summary>
internal static class RunFailure
{
    public static string Say(JobError error)
    {
        string task = error.Task is null || error.Message.StartsWith($"task {error.Task} ", StringComparison.Ordinal) ? "" : $"task {error.Task}: ";
        return $"millstream: {task}{OutputText.CleanLines(error.Message)}";
    }
}
