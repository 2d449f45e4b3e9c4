namespace Millstream;

/// <summary>
/// Lets the thread on which a task has just ended go on with a task that this end set free, instead of waking another thread for it. Only
/// where no code of a user's is left on the stack but the body's turn, so that nothing can wait for what waits here.
/// </summary>
internal static class TaskTail
{
    // So that one busy chain does not keep its thread from what waits in the pool.
    private const int MaxInRow = 256;
    private static readonly TimeSpan LongestRow = TimeSpan.FromMilliseconds(1);

    [ThreadStatic]
    private static TaskCommand? s_next;

    [ThreadStatic]
    private static bool s_isOpen;

    [ThreadStatic]
    private static bool s_isRunning;

    /// <summary>Whether a task waits for this thread.</summary>
    public static bool HasNext => s_next is not null;

    /// <summary>Runs a task, and then what its end left for this thread.</summary>
    /// <param name="executor">What runs it.</param>
    /// <param name="fleet">Gives the time at which the row begins; its grants have theirs.</param>
    /// <param name="first">The task.</param>
    public static void Run(IExecutor executor, Fleet fleet, TaskCommand first)
    {
        if (!executor.RunsInline || s_isRunning)
        {
            first.RunAttempt();
            return;
        }
        s_isRunning = true;
        TaskCommand? task = first;
        long end = fleet.Passed + LongestRow.Ticks;
        int left = MaxInRow;
        while (task is not null)
        {
            task.RunAttempt();
            task = s_next;
            s_next = null;
            if (task is null || (--left > 0 && task.GrantedAt <= end))
                continue;
            if (executor.HasWaiting)
                break;
            (left, end) = (MaxInRow, task.GrantedAt + LongestRow.Ticks);
        }
        s_isRunning = false;
        if (task is not null)
            executor.Schedule(task);
    }

    /// <summary>Starts a task: on this thread when it is about to be free, else on another.</summary>
    public static void Schedule(IExecutor executor, TaskCommand task)
    {
        if (s_isOpen && s_next is null)
            s_next = task;
        else
            executor.Schedule(task);
    }

    /// <summary>Opens the tail for what the end of a task sets off.</summary>
    /// <param name="isInline">Whether the stack is the runtime's own.</param>
    public static Scope Begin(bool isInline)
    {
        bool opens = isInline && s_isRunning && !s_isOpen;
        s_isOpen |= opens;
        return new Scope(opens);
    }

    internal readonly ref struct Scope(bool opens)
    {
        public void Dispose()
        {
            if (opens)
                s_isOpen = false;
        }
    }
}
