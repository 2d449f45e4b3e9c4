namespace Millstream;

/// <summary>What holds for the stream of every job that has ended.</summary>
internal static class StreamChecks
{
    private static readonly (string What, string Begin, string[] Ends)[] Pairs =
    [
        ("task", JobEventKinds.TaskScheduled, [JobEventKinds.TaskCompleted, JobEventKinds.TaskFailed, JobEventKinds.TaskCancelled]),
        ("child", JobEventKinds.ChildStarted, [JobEventKinds.ChildCompleted, JobEventKinds.ChildFailed, JobEventKinds.ChildCancelled]),
        ("question", JobEventKinds.QuestionAsked, [JobEventKinds.QuestionAnswered, JobEventKinds.QuestionWithdrawn]),
        ("timer", JobEventKinds.TimerSet, [JobEventKinds.TimerFired, JobEventKinds.TimerStopped]),
    ];

    public static List<string> Faults(JobId job, IReadOnlyList<JobEvent> stream)
    {
        List<string> faults = [];
        for (int i = 0; i < stream.Count && faults.Count == 0; i++)
        {
            if (stream[i].Seq != i + 1)
                faults.Add($"entry {i + 1} of the stream has the number {stream[i].Seq}");
        }
        JobEvent[] own = [.. stream.Where(e => e.Job == job)];
        int endings = own.Count(e => e.Kind is JobEventKinds.JobCompleted or JobEventKinds.JobFailed or JobEventKinds.JobCancelled);
        if (endings != 1 || own[^1] != stream[^1] || own[^1].Kind is not (JobEventKinds.JobCompleted or JobEventKinds.JobFailed or JobEventKinds.JobCancelled))
            faults.Add($"the stream has {endings} endings, and its last entry is {stream[^1].Kind}; one ending must be the last");
        foreach ((string what, string begin, string[] ends) in Pairs)
        {
            int begun = own.Count(e => e.Kind == begin), ended = own.Count(e => ends.Contains(e.Kind));
            if (begun != ended)
                faults.Add($"the stream has {begun} {begin} and {ended} ends of a {what}");
        }
        return faults;
    }
}
