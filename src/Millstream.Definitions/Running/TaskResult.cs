using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>How one run of a task ended.</summary>
internal readonly record struct RunEnd(string Status, JsonElement Output, string? Error)
{
    public const string CompletedStatus = "completed", FailedStatus = "failed", SkippedStatus = "skipped";

    public static RunEnd Completed(JsonElement output) => new(CompletedStatus, output, null);

    public static RunEnd Failed(string error) => new(FailedStatus, Json.Null, error);

    public static RunEnd Skipped { get; } = new(SkippedStatus, Json.Null, null);
}

/// <summary>What expressions see as <c>tasks.ID</c>. Made once, when the task ends.</summary>
internal static class TaskResult
{
    public static JsonElement Of(RunEnd end) => JsonSerializer.SerializeToElement(new { output = end.Output, status = end.Status, error = end.Error });

    /// <summary>Of a <c>for_each</c>: every run keeps its place, with null for the output of one that failed or was skipped.</summary>
    public static JsonElement Of(IReadOnlyList<RunEnd> ends)
    {
        (int Index, RunEnd End)[] failed = [.. ends.Select((e, i) => (i, e)).Where(e => e.e.Status == RunEnd.FailedStatus)];
        return JsonSerializer.SerializeToElement(new
        {
            output = ends.Select(e => e.Output),
            status = failed.Length > 0 ? RunEnd.FailedStatus : RunEnd.CompletedStatus,
            error = failed.Length > 0 ? $"{failed.Length} of {ends.Count} failed; the first: [{failed[0].Index}] {failed[0].End.Error}" : null,
            results = ends.Select(e => new { ok = e.Status == RunEnd.CompletedStatus, output = e.Output, error = e.Error }),
            errors = failed.Select(f => new { index = f.Index, message = f.End.Error }),
        });
    }
}
