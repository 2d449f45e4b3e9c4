namespace Millstream;

/// <summary>A thread that lives as long as the process and does what it is given, one thing after the other.</summary>
internal sealed class PermanentThread
{
    private readonly Queue<Action> _work = new();

    public PermanentThread(string name, Action? first = null) => new Thread(() => Loop(first)) { IsBackground = true, Name = name }.Start();

    public void Post(Action work)
    {
        lock (_work)
        {
            _work.Enqueue(work);
            Monitor.Pulse(_work);
        }
    }

    private void Loop(Action? first)
    {
        first?.Invoke();
        while (true)
        {
            Action next;
            lock (_work)
            {
                while (!_work.TryDequeue(out next!))
                    Monitor.Wait(_work);
            }
            next();
        }
    }
}
