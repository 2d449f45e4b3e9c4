namespace Millstream;

/// <summary>
/// Threads for what waits for a disk. The pool has as many as there are cores and does not see that one of them waits, so tasks that could run
/// would wait with it. They come when they are needed and go when there was nothing to do for a while.
/// </summary>
internal sealed class BlockingThreads
{
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(10);

    // Monitor can wait for a time, which Lock cannot.
    private readonly object _gate = new();
    private readonly Queue<IThreadPoolWorkItem> _work = new();
    private int _idle;

    public void Schedule(IThreadPoolWorkItem work)
    {
        lock (_gate)
        {
            _work.Enqueue(work);
            if (_idle >= _work.Count)
            {
                Monitor.Pulse(_gate);
                return;
            }
        }
        new Thread(Run) { IsBackground = true, Name = "Millstream store" }.UnsafeStart();
    }

    private void Run()
    {
        while (Take() is { } work)
            work.Execute();
    }

    private IThreadPoolWorkItem? Take()
    {
        lock (_gate)
        {
            while (_work.Count == 0)
            {
                _idle++;
                bool isCalled = Monitor.Wait(_gate, LongestIdle);
                _idle--;
                if (!isCalled && _work.Count == 0)
                    return null;
            }
            return _work.Dequeue();
        }
    }
}
