using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>The jobs of a process: the open ones, and the newest of those that have ended.</summary>
internal sealed class JobTable(int keptEnded)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<JobId, JobRunner> _jobs = [];
    private readonly Queue<JobRunner> _ended = new();

    /// <summary>Adds a job; false gives the one that has the id already.</summary>
    public bool TryAdd(JobRunner runner, [NotNullWhen(false)] out JobRunner? known)
    {
        lock (_gate)
        {
            if (_jobs.TryGetValue(runner.Id, out known))
                return false;
            _jobs.Add(runner.Id, runner);
            return true;
        }
    }

    /// <summary>Puts a job in the place of one that this process has lost.</summary>
    public void Put(JobRunner runner)
    {
        lock (_gate)
            _jobs[runner.Id] = runner;
    }

    /// <summary>Forgets a job that did not come to be.</summary>
    public void Remove(JobRunner runner)
    {
        lock (_gate)
        {
            if (_jobs.GetValueOrDefault(runner.Id) == runner)
                _jobs.Remove(runner.Id);
        }
    }

    public JobRunner? Find(JobId id)
    {
        lock (_gate)
            return _jobs.GetValueOrDefault(id);
    }

    /// <summary>All of them, in the order of their creation.</summary>
    public List<JobRunner> All()
    {
        lock (_gate)
            return [.. _jobs.Values.OrderBy(j => j.Created).ThenBy(j => j.Id.Value, StringComparer.Ordinal)];
    }

    public void Ended(JobRunner runner)
    {
        lock (_gate)
        {
            _ended.Enqueue(runner);
            while (_ended.Count > keptEnded)
                _jobs.Remove(_ended.Dequeue().Id);
        }
    }
}
