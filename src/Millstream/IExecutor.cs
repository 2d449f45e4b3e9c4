namespace Millstream;

/// <summary>Where pumps, task runs and wake-ups start: the pool in production, a seeded queue in a simulation.</summary>
internal interface IExecutor
{
    /// <summary>Whether a piece of work may run its successor at once instead of scheduling it. A simulation says no, to choose the order itself.</summary>
    bool RunsInline { get; }

    /// <summary>Whether a task that could run waits for this thread, so that the thread must not wait for a disk.</summary>
    bool IsThreadTaken => false;

    /// <summary>Whether scheduled work waits for a thread.</summary>
    bool HasWaiting => true;

    void Schedule(IThreadPoolWorkItem work);

    /// <summary>Runs what waits for a disk beside the rest.</summary>
    void ScheduleBlocking(IThreadPoolWorkItem work) => Schedule(work);
}
