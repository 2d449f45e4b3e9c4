namespace Millstream;

/// <summary>Where pumps, task runs and wake-ups start: the pool in production, a seeded queue in a simulation.</summary>
internal interface IExecutor
{
    /// <summary>Whether a piece of work may run its successor at once instead of scheduling it. A simulation says no, to choose the order itself.</summary>
    bool RunsInline { get; }

    void Schedule(IThreadPoolWorkItem work);
}
