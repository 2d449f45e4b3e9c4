using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>
/// Everything of a <see cref="TestHost"/> one after another: turns, attempts, what the code of tasks awaits, timers. So the same test takes the same course each time, as long as its tasks
/// stay on the context that they find.
/// </summary>
/// <param name="order">Chooses who is next; null for first in, first out.</param>
internal sealed class TestExecutor(Random? order) : SynchronizationContext, IExecutor, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Action> _ready = [];
    private List<TaskCompletionSource> _waiting = [];
    private readonly ExecutionContext _clean = ExecutionContext.Capture()!;
    private bool _isRunning;

    public bool RunsInline => false;

    /// <summary>Whether nothing is under way that this executor does not see.</summary>
    public Func<bool> IsQuiet { get; set; } = static () => true;

    /// <summary>What code threw that nobody awaits.</summary>
    public Exception? Escaped { get; private set; }

    public void Schedule(IThreadPoolWorkItem work) => Add(work.Execute);

    public override void Post(SendOrPostCallback d, object? state) => Add(() => d(state));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    public void Add(Action work)
    {
        lock (_gate)
        {
            _ready.AddLast(work);
            if (_isRunning)
                return;
            _isRunning = true;
        }
        Begin();
    }

    /// <summary>Starts async work here.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        TaskCompletionSource<Task<T>> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Add(() => begun.SetResult(work()));
        return begun.Task.Unwrap();
    }

    /// <summary>Done when nothing is left to run and nothing is under way.</summary>
    public Task WhenQuietAsync()
    {
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add(waiting);
            if (_isRunning)
                return waiting.Task;
            // Nothing is added to what is ready, so that asking does not change the order.
            _isRunning = true;
        }
        Begin();
        return waiting.Task;
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever escapes is told to the test")]
    public void Execute()
    {
        SynchronizationContext? outer = Current;
        SetSynchronizationContext(this);
        while (Take() is { } work)
        {
            ExecutionContext.Restore(_clean);
            SetSynchronizationContext(this);
            try
            {
                work();
            }
            catch (Exception e)
            {
                Escaped ??= e;
            }
        }
        SetSynchronizationContext(outer);
    }

    private void Begin() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private Action? Take()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_ready.Count > 0)
                    return Remove(order?.Next(_ready.Count) ?? 0);
            }
            // Not under the gate: it takes the locks of jobs.
            bool isQuiet = IsQuiet();
            List<TaskCompletionSource> quiet = [];
            lock (_gate)
            {
                if (_ready.Count > 0)
                    continue;
                _isRunning = false;
                if (isQuiet)
                    (quiet, _waiting) = (_waiting, quiet);
            }
            foreach (TaskCompletionSource waiting in quiet)
                waiting.TrySetResult();
            return null;
        }
    }

    private Action Remove(int index)
    {
        LinkedListNode<Action> node = _ready.First!;
        for (; index > 0; index--)
            node = node.Next!;
        _ready.Remove(node);
        return node.Value;
    }
}
