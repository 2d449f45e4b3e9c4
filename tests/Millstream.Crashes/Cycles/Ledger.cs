using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace Millstream.Crashes.Cycles;

/// <summary>
/// All that anybody was told: lines of streams by job and number, what was accepted, which tasks had ended. A line that is told again must be the
/// same bytes, and a task that had ended must not run again.
/// </summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<(string Job, long Number), string> _lines = new();
    private readonly ConcurrentDictionary<string, byte> _finished = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Job, string What), byte> _accepted = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly List<(int Lines, TaskCompletionSource Done)> _reached = [];
    private int _shown;

    public IReadOnlyCollection<string> Faults => _faults;

    public int Lines => Volatile.Read(ref _shown);

    /// <summary>Done when so many lines were shown that nobody had been shown before.</summary>
    public Task ReachedAsync(int lines)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_reached)
            _reached.Add((lines, reached));
        Tell();
        return reached.Task;
    }

    public int Accepted => _accepted.Count;

    public int Effects { get; private set; }

    public void Fault(string text) => _faults.Enqueue(text);

    /// <summary>A reader was shown a line.</summary>
    public void Line(string job, long number, string line)
    {
        if (_lines.TryAdd((job, number), line))
        {
            Interlocked.Increment(ref _shown);
            Tell();
            return;
        }
        string known = _lines[(job, number)];
        if (known != line)
            Fault($"entry {number} of {job} was\n  {known}\nand is now\n  {line}");
    }

    /// <summary>The next number of a job that nobody has been shown.</summary>
    public long NextOf(string job)
    {
        long next = 1;
        while (_lines.ContainsKey((job, next)))
            next++;
        return next;
    }

    /// <summary>Who signalled, answered or cancelled was told that it is accepted.</summary>
    public void Accept(string job, string what) => _accepted.TryAdd((job, what), 0);

    public bool IsAccepted(string job, string what) => _accepted.ContainsKey((job, what));

    public int CountAccepted(string job, Func<string, bool> which) => _accepted.Keys.Count(a => a.Job == job && which(a.What));

    /// <summary>The end of a task is in the journal.</summary>
    public void Finish(string key) => _finished.TryAdd(key, 0);

    /// <summary>An attempt of a task did its work outside.</summary>
    public void Effect(string key)
    {
        Effects++;
        if (_finished.ContainsKey(key))
            Fault($"task {key} ran again, though its end was in the journal");
    }

    /// <summary>Holds a whole stream of an ended job to its rules and to all that was shown of it.</summary>
    public void Whole(string job, IReadOnlyList<string> stream)
    {
        int ends = 0;
        for (int i = 0; i < stream.Count; i++)
        {
            Line(job, i + 1, stream[i]);
            if (!stream[i].StartsWith(string.Create(CultureInfo.InvariantCulture, $"{{\"seq\":{i + 1},"), StringComparison.Ordinal))
                Fault($"line {i + 1} of {job} is {stream[i]}");
            using JsonDocument line = JsonDocument.Parse(stream[i]);
            bool isEnd = line.RootElement.GetProperty("job").GetString() == job && line.RootElement.GetProperty("kind").GetString() is "job.completed" or "job.failed" or "job.cancelled";
            if (isEnd)
                ends++;
            if (isEnd != (i == stream.Count - 1))
                Fault($"line {i + 1} of {stream.Count} of {job} is {stream[i]}");
        }
        if (ends != 1)
            Fault($"{job} has {ends} last entries");
        foreach ((string other, long number) in _lines.Keys.Where(l => l.Job == job && l.Number > stream.Count))
            Fault($"entry {number} of {other} was shown, and its stream has {stream.Count}");
    }

    private void Tell()
    {
        lock (_reached)
        {
            foreach ((_, TaskCompletionSource done) in _reached.Where(r => r.Lines <= Volatile.Read(ref _shown)))
                done.TrySetResult();
            _reached.RemoveAll(r => r.Done.Task.IsCompleted);
        }
    }

    public void ThrowIfFaulty(string when)
    {
        if (!_faults.IsEmpty)
            throw new InvalidOperationException($"{when}:\n{string.Join('\n', _faults.Take(10))}");
    }
}
