namespace Millstream;

/// <summary>Entries in the words of messages.</summary>
internal static class EntryWords
{
    /// <summary>A kind of entry in the words of a message.</summary>
    public static string Of(EntryKind kind) => kind switch
    {
        EntryKind.TaskScheduled => "task",
        EntryKind.Event => "an event",
        EntryKind.QuestionAsked => "question",
        EntryKind.TimerSet => "a timer",
        EntryKind.ChildStarted => "child job",
        EntryKind.TaskStopping => "the stop of task",
        EntryKind.TimerStopping => "the stop of a timer",
        EntryKind.QuestionWithdrawing => "the withdrawal of question",
        EntryKind.ChildStopping => "the stop of child job",
        EntryKind.ChildSignalled => "a signal to child job",
        EntryKind.Checkpoint => "a new round's state",
        EntryKind.Flush => "a flush",
        EntryKind.JobReturned or EntryKind.JobCompleted or EntryKind.JobFailed or EntryKind.JobCancelled => "the job's end",
        EntryKind.TaskCompleted or EntryKind.TaskFailed or EntryKind.TaskCancelled => "the end of task",
        EntryKind.ChildCompleted or EntryKind.ChildFailed or EntryKind.ChildCancelled => "the end of child job",
        _ => $"a {kind}",
    };
}
