using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>The thread pool, and threads beside it for what waits for a disk.</summary>
internal sealed class PoolExecutor : IExecutor
{
    private readonly BlockingThreads _beside = new();

    public static PoolExecutor Instance { get; } = new();

    public bool RunsInline => true;

    public bool IsThreadTaken => TaskTail.HasNext;

    [SuppressMessage("ApiDesign", "RS0030", Justification = "the one place that knows the pool")]
    public bool HasWaiting => ThreadPool.PendingWorkItemCount > 0;

    [SuppressMessage("ApiDesign", "RS0030", Justification = "the one place that knows the pool")]
    public void Schedule(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);

    public void ScheduleBlocking(IThreadPoolWorkItem work) => _beside.Schedule(work);
}
