using System.Runtime.InteropServices;
using System.Text.Json;

namespace Millstream;

/// <summary>
/// What an entry is. Deliveries start a turn, commands are what a body asked for in it, notes are for readers and mean nothing to a replay,
/// endings are the last entry. The numbers are those of stored journals: what is there keeps its number.
/// </summary>
internal enum EntryKind : byte
{
    // Deliveries
    JobStarted, TaskCompleted, TaskFailed, TaskCancelled, Signal, QuestionAnswered, TimerFired, TimerStopped, QuestionWithdrawn,
    ChildCompleted, ChildFailed, ChildCancelled, Flushed, JobCancelling, TaskDecided,

    // Commands
    TaskScheduled = 64, Event, QuestionAsked, TimerSet, ChildStarted, TaskStopping, TimerStopping, QuestionWithdrawing, ChildStopping, ChildSignalled, Flush, JobReturned, Checkpoint,

    // Notes
    TaskStarted = 128, TaskRetried, TaskDelta, ChildEntry, Trimmed, Resumed, TaskInDoubt, Forked, Refused, Superseded, TaskWaiting,

    // Endings
    JobCompleted = 192, JobFailed, JobCancelled,
}

/// <summary>One entry of a job's journal: typed in memory, made bytes by a store that needs bytes. Immutable once appended.</summary>
internal sealed class JournalEntry
{
    private const int BaseSize = 96;

    // Journals in memory hold millions of entries: the kind, a bit for the end of a turn, and the attempt share four bytes.
    private const int EndBit = 1 << 8, AttemptShift = 9;

    private int _bits;

    /// <summary>Makes an entry.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="time">The time of its turn; 0 for a note, which gets the time at which it is appended.</param>
    public JournalEntry(EntryKind kind, long time = 0)
    {
        _bits = (byte)kind;
        Time = time;
    }

    public EntryKind Kind => (EntryKind)(byte)_bits;

    /// <summary>UTC ticks; never before that of the entry before it in its journal.</summary>
    public long Time { get; set; }

    /// <summary>Given when it is appended; from 1, without gaps.</summary>
    public long Number { get; set; }

    /// <summary>The number of the command that it is or belongs to; 0 for none.</summary>
    public int Command { get; init; }

    /// <summary>The attempt, from 1; 0 for none. Beyond four million all have the same number.</summary>
    public int Attempt
    {
        get => _bits >> AttemptShift;
        init => _bits = (_bits & ((1 << AttemptShift) - 1)) | (Math.Min(value, int.MaxValue >> AttemptShift) << AttemptShift);
    }

    /// <summary>The id of the task, question or child that it is about.</summary>
    public string? Subject { get; init; }

    public object? Payload { get; init; }

    /// <summary>How the payload becomes JSON; null where the kind has a payload of the runtime's own.</summary>
    public PayloadType? PayloadType { get; init; }

    /// <summary>Whether it is the last entry of its turn.</summary>
    public bool EndsTurn
    {
        get => (_bits & EndBit) != 0;
        set => _bits = value ? _bits | EndBit : _bits & ~EndBit;
    }

    public bool IsDelivery => Kind <= EntryKind.TaskDecided;

    public bool IsCommand => Kind is >= EntryKind.TaskScheduled and <= EntryKind.Checkpoint;

    public bool IsNote => Kind is >= EntryKind.TaskStarted and < EntryKind.JobCompleted;

    public bool IsEnding => Kind >= EntryKind.JobCompleted;

    /// <summary>Whether a parent shows it. Its own entries tell a child's beginning and end; deltas are read from the child.</summary>
    public bool IsShownInParent => !IsEnding && Kind is not (EntryKind.JobStarted or EntryKind.JobReturned or EntryKind.JobCancelling or EntryKind.TaskDelta or EntryKind.Superseded
        or EntryKind.Flush or EntryKind.Flushed or EntryKind.Checkpoint or EntryKind.Resumed);

    /// <summary>Whether its subject is the id of a child.</summary>
    public bool IsOfChild => Kind is EntryKind.ChildStarted or EntryKind.ChildStopping or EntryKind.ChildSignalled or EntryKind.ChildCompleted or EntryKind.ChildFailed or EntryKind.ChildCancelled;

    /// <summary>What it counts against the in-memory bound. Objects of agents' own types are counted by the base only: in memory nothing is serialised.</summary>
    public long Size => BaseSize + Payload switch
    {
        DeltaChunk chunk => chunk.Bytes.Length,
        string text => text.Length * 2L,
        byte[] bytes => bytes.Length,
        JsonElement { ValueKind: not JsonValueKind.Undefined } json => JsonMarshal.GetRawUtf8Value(json).Length,
        _ => 0,
    };
}

/// <summary>Output of a running attempt.</summary>
/// <param name="Stream">Which output.</param>
/// <param name="Index">The number among all chunks of the attempt, from 0.</param>
/// <param name="Bytes">The bytes.</param>
internal sealed record DeltaChunk(string Stream, int Index, byte[] Bytes);

/// <summary>What a <c>job.started</c> says beside the input; the seed is null where it is the job's id.</summary>
internal sealed record StartOf(string Agent, string Version, object? Input, string? Seed = null);

/// <summary>What a <c>child.started</c> says beside the input; the task is the id of the node that it runs for.</summary>
internal sealed record ChildOf(string Agent, string Task, object? Input);

/// <summary>The first and the last delta of an attempt that another one has followed.</summary>
internal sealed record SupersededOf(long From, long To);

/// <summary>Where an attempt runs.</summary>
internal sealed record AttemptOf(string Worker, IReadOnlyList<string> Resources);

/// <summary>Who goes on with a job whose process has gone.</summary>
internal sealed record ResumeOf(long Runner, long Epoch, string Version);

/// <summary>Which job a fork was made of, and up to which entry.</summary>
internal sealed record ForkOf(string From, long At);

/// <summary>What of an inbox a job did not take, and why.</summary>
/// <param name="Item">What it is: signal, answer, cancel.</param>
/// <param name="Sender">Its sender's id of it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Data">What it holds, where that is small and JSON.</param>
internal sealed record RefusalOf(string Item, string? Sender, string Reason, JsonElement? Data);

/// <summary>Why an attempt failed, and when the next one comes.</summary>
internal sealed record RetryOf(TaskError Error, TimeSpan Delay);

/// <summary>An entry of a child's journal that is shown in its parent's stream.</summary>
/// <param name="Child">The child.</param>
/// <param name="Entry">The entry; null as long as it was not looked up in a store.</param>
/// <param name="Number">Its number in the child's journal.</param>
internal sealed record ChildPointer(JobId Child, JournalEntry Entry, long Number);

/// <summary>A range of numbers whose entries were removed.</summary>
internal sealed class TrimmedRange(string @class)
{
    /// <summary>The last number of the range; grows while the range does.</summary>
    public long To { get; set; }

    public string Class => @class;
}
