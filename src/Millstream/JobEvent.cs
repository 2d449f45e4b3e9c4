using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Millstream;

/// <summary>One entry of a job's stream: what its agent emitted, and what the runtime did around it. docs/events.md lists the kinds and their fields.</summary>
public abstract class JobEvent
{
    private protected JobEvent()
    {
    }

    /// <summary>The number in the stream, from 1, without gaps (a <c>trimmed</c> entry says how far it reaches).</summary>
    public abstract long Seq { get; }

    /// <summary>When it was recorded.</summary>
    public abstract DateTimeOffset Time { get; }

    /// <summary>What happened, as in <c>task.completed</c>; one of <see cref="JobEventKinds"/>.</summary>
    public abstract string Kind { get; }

    /// <summary>The job it happened in: the stream's own, or a child of it.</summary>
    public abstract JobId Job { get; }

    /// <summary>The task's id, where it is about a task.</summary>
    public abstract string? Task { get; }

    /// <summary>The question's id, where it is about a question.</summary>
    public abstract string? Question { get; }

    /// <summary>The child job, where it is about the beginning or end of one, or a signal to it.</summary>
    public abstract JobId? Child { get; }

    /// <summary>The attempt, from 1, where it is about one.</summary>
    public abstract int? Attempt { get; }

    /// <summary>The payload as JSON: an input, an output, an event, a signal, a question or its answer; null where there is none.</summary>
    public abstract JsonElement? Data { get; }

    /// <summary>The output in a <c>task.delta</c>; else empty.</summary>
    public abstract ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Which output a <c>task.delta</c> belongs to, as in <c>stdout</c>.</summary>
    public abstract string? Stream { get; }

    /// <summary>What went wrong, where something did.</summary>
    public abstract JobError? Error { get; }

    /// <summary>The event, signal or question as its agent's own type; null for other kinds.</summary>
    public abstract object? Value { get; }

    /// <summary>Writes the entry as one JSON object: <c>seq</c>, <c>time</c>, <c>kind</c>, <c>job</c>, then the fields of its kind.</summary>
    public abstract void WriteTo(Utf8JsonWriter writer);

    /// <summary>The entry as one line of JSON.</summary>
    public string ToJson()
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, new JsonWriterOptions { Encoder = AgentContract.DefaultOptions.Encoder }))
            WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The entry as one line of JSON.</summary>
    public override string ToString() => ToJson();
}

/// <summary>The kinds of <see cref="JobEvent"/>.</summary>
public static class JobEventKinds
{
    /// <summary>The job began; <c>agent</c>, <c>version</c>, <c>input</c>.</summary>
    public const string JobStarted = "job.started";

    /// <summary>The job was cancelled and is ending; <c>reason</c>.</summary>
    public const string JobCancelling = "job.cancelling";

    /// <summary>Another process, or the same one started again, goes on with the job; <c>runner</c>, <c>epoch</c>, <c>version</c>.</summary>
    public const string JobResumed = "job.resumed";

    /// <summary>A task that must not be repeated may have run, and a person has to say what became of it; <c>question</c>.</summary>
    public const string TaskInDoubt = "task.inDoubt";

    /// <summary>A person has said what became of a task in doubt; <c>question</c>, <c>data</c>.</summary>
    public const string TaskDecided = "task.decided";

    /// <summary>Up to here the entries are copies of another job's; <c>from</c>, <c>at</c>.</summary>
    public const string JobForked = "job.forked";

    /// <summary>The body returned; what it left behind is being stopped.</summary>
    public const string JobReturned = "job.returned";

    /// <summary>A loop agent's next round begins with a state from which a restart can go on.</summary>
    public const string JobCheckpoint = "job.checkpoint";

    /// <summary>The last entry of a job that gave its output; <c>output</c>.</summary>
    public const string JobCompleted = "job.completed";

    /// <summary>The last entry of a job that failed; <c>error</c>.</summary>
    public const string JobFailed = "job.failed";

    /// <summary>The last entry of a job that was cancelled; <c>error</c> with the reason.</summary>
    public const string JobCancelled = "job.cancelled";

    /// <summary>The agent emitted an event; <c>type</c>, <c>data</c>.</summary>
    public const string Event = "event";

    /// <summary>A task was asked for; <c>task</c>, <c>attempt</c>, <c>input</c>.</summary>
    public const string TaskScheduled = "task.scheduled";

    /// <summary>An attempt began; <c>worker</c>, <c>resources</c>.</summary>
    public const string TaskStarted = "task.started";

    /// <summary>Output while it runs; <c>stream</c>, <c>index</c>, <c>text</c> or <c>base64</c>.</summary>
    public const string TaskDelta = "task.delta";

    /// <summary>An attempt failed and another follows; <c>error</c>, <c>delayMs</c>.</summary>
    public const string TaskRetried = "task.retried";

    /// <summary>Another attempt follows one that has shown output: drop its deltas, which lie between <c>from</c> and <c>to</c>.</summary>
    public const string Superseded = "superseded";

    /// <summary>A task waits, without a lease, for a secret that has no value in this process; <c>reason</c>, which is <see cref="JobEvent.Data"/> as well.</summary>
    public const string TaskWaiting = "task.waiting";

    /// <summary>A task gave its output; <c>output</c>.</summary>
    public const string TaskCompleted = "task.completed";

    /// <summary>A task failed and no attempt is left; <c>error</c>.</summary>
    public const string TaskFailed = "task.failed";

    /// <summary>A task was told to stop.</summary>
    public const string TaskStopping = "task.stopping";

    /// <summary>A task has stopped.</summary>
    public const string TaskCancelled = "task.cancelled";

    /// <summary>A question is open; <c>question</c>, <c>type</c>, <c>data</c>.</summary>
    public const string QuestionAsked = "question.asked";

    /// <summary>A question was answered; <c>question</c>, <c>data</c>.</summary>
    public const string QuestionAnswered = "question.answered";

    /// <summary>The body takes a question back; <c>question</c>.</summary>
    public const string QuestionWithdrawing = "question.withdrawing";

    /// <summary>A question is open no more, and was not answered; <c>question</c>.</summary>
    public const string QuestionWithdrawn = "question.withdrawn";

    /// <summary>A signal was delivered; <c>type</c>, <c>data</c>.</summary>
    public const string Signal = "signal";

    /// <summary>Something in the job's inbox was not taken; <c>item</c>, <c>sender</c>, <c>reason</c>, <c>data</c>.</summary>
    public const string SignalRefused = "signal.refused";

    /// <summary>A timer was set; <c>timer</c>, <c>due</c>.</summary>
    public const string TimerSet = "timer.set";

    /// <summary>A timer fired; <c>timer</c>.</summary>
    public const string TimerFired = "timer.fired";

    /// <summary>A timer was told to stop; <c>timer</c>.</summary>
    public const string TimerStopping = "timer.stopping";

    /// <summary>A timer was stopped; <c>timer</c>.</summary>
    public const string TimerStopped = "timer.stopped";

    /// <summary>A child job was started; <c>child</c>, <c>agent</c>, <c>input</c>.</summary>
    public const string ChildStarted = "child.started";

    /// <summary>A child job was told to stop.</summary>
    public const string ChildStopping = "child.stopping";

    /// <summary>A signal was passed on to a child job; <c>child</c>, <c>type</c>, <c>data</c>.</summary>
    public const string ChildSignalled = "child.signalled";

    /// <summary>A child job gave its output; <c>child</c>, <c>output</c>.</summary>
    public const string ChildCompleted = "child.completed";

    /// <summary>A child job failed; <c>child</c>, <c>error</c>.</summary>
    public const string ChildFailed = "child.failed";

    /// <summary>A child job was cancelled; <c>child</c>.</summary>
    public const string ChildCancelled = "child.cancelled";

    /// <summary>The body asked to know when all is durable.</summary>
    public const string Flush = "flush";

    /// <summary>All up to the flush is durable.</summary>
    public const string Flushed = "flushed";

    /// <summary>Entries were removed to hold the journal's bound; <c>from</c>, <c>to</c>, <c>class</c>.</summary>
    public const string Trimmed = "trimmed";
}
