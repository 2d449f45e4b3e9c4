using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>The thread pool.</summary>
internal sealed class PoolExecutor : IExecutor
{
    public static PoolExecutor Instance { get; } = new();

    public bool RunsInline => true;

    [SuppressMessage("ApiDesign", "RS0030", Justification = "the one place where work goes to the pool")]
    public void Schedule(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
}
