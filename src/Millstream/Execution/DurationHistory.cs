using System.Collections.Concurrent;
using System.Text.Json;

namespace Millstream;

/// <summary>How long tasks of workflows took: in this process, and before it by the journal.</summary>
internal sealed class DurationHistory
{
    // Of a store's last jobs of a workflow, and of each so many entries at most, so that a start does not take long.
    private const int Jobs = 5, Entries = 20_000;
    // So many are looked at where the agent executes other workflows too.
    private const int Candidates = 50;
    private const int MostWorkflows = 1_000, MostTasks = 20_000;

    private readonly ConcurrentDictionary<string, Workflow> _workflows = new(StringComparer.Ordinal);

    /// <summary>Those of one workflow.</summary>
    public NodeDurations Of(WorkflowGraph graph) => Find(graph.Id).Of(graph);

    /// <summary>Reads what the store has of a workflow, once in a process.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="agent">The agent that executes it.</param>
    /// <param name="name">The workflow's id.</param>
    public Task LoadAsync(IJournalStorage storage, Agent agent, string name)
    {
        Workflow workflow = Find(name);
        lock (workflow)
            return workflow.Loading ??= ReadAsync(storage, agent, name, workflow);
    }

    private static async Task ReadAsync(IJournalStorage storage, Agent agent, string name, Workflow workflow)
    {
        try
        {
            Queue<JobId> last = new();
            // One agent may execute many workflows.
            int most = name == agent.Name ? Jobs : Candidates;
            await foreach (JobHead head in storage.ListAsync(new JobHeadFilter { AgentId = agent.Id, Status = JobStatus.Completed, Ended = true }))
            {
                last.Enqueue(head.Id);
                if (last.Count > most)
                    last.Dequeue();
            }
            int read = 0;
            foreach (JobId job in last.Reverse())
            {
                if (await ReadAsync(storage, agent, name, job, workflow) && ++read == Jobs)
                    break;
            }
            workflow.Forget();
        }
        catch (Exception e) when (e is JournalStorageException or JournalDamagedException)
        {
            // Whoever needs the store, or that job, is told; without it the order of tasks is by the graph alone.
        }
    }

    /// <returns>Whether it is a job of the workflow.</returns>
    private static async Task<bool> ReadAsync(IJournalStorage storage, Agent agent, string name, JobId job, Workflow workflow)
    {
        Dictionary<int, (string Subject, long Time)> started = [];
        int read = 0;
        await foreach (List<JournalEntry> entries in new RecordReader(storage, job).ReadAsync(1))
        {
            foreach (JournalEntry entry in entries)
            {
                if (entry.Payload is StartOf start && !IsOf(agent, name, start))
                    return false;
                if (entry is { Kind: EntryKind.TaskStarted, Subject: not null })
                    started[entry.Command] = (entry.Subject, entry.Time);
                else if (entry.Payload is ChildOf child)
                    started[entry.Command] = (child.Task, entry.Time);
                else if (entry.Kind is EntryKind.TaskCompleted or EntryKind.ChildCompleted && started.Remove(entry.Command, out (string Subject, long Time) run))
                    workflow.Of(NodeOf(run.Subject)).Add(entry.Time - run.Time);
            }
            if ((read += entries.Count) > Entries)
                break;
        }
        return true;
    }

    private static bool IsOf(Agent agent, string name, StartOf start)
    {
        try
        {
            return agent.NameFor(JobRunner.ReadPayload(agent.Contract.Input, start.Input)) == name;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            // An older version of the agent took something else.
            return false;
        }
    }

    // A run of a fan-out is called after its item.
    private static string NodeOf(string subject) => subject.IndexOf('[', StringComparison.Ordinal) is > 0 and var item ? subject[..item] : subject;

    private Workflow Find(string id)
    {
        if (_workflows.Count > MostWorkflows)
            _workflows.Clear();
        return _workflows.GetOrAdd(id, static _ => new Workflow());
    }

    /// <summary>The tasks of one workflow by the ids of their nodes.</summary>
    private sealed class Workflow
    {
        private readonly Dictionary<string, TaskDurations> _tasks = new(StringComparer.Ordinal);
        private NodeDurations? _last;

        public Task? Loading { get; set; }

        public TaskDurations Of(string node)
        {
            lock (_tasks)
            {
                if (_tasks.Count > MostTasks)
                    _tasks.Clear();
                if (!_tasks.TryGetValue(node, out TaskDurations? durations))
                    _tasks.Add(node, durations = new TaskDurations());
                return durations;
            }
        }

        /// <summary>More is known by the ids than graphs were told.</summary>
        public void Forget() => _last = null;

        public NodeDurations Of(WorkflowGraph graph)
        {
            if (_last is { } last && last.Graph == graph)
                return last;
            TaskDurations?[] known = new TaskDurations?[graph.Nodes.Count];
            lock (_tasks)
            {
                foreach (GraphNode node in _tasks.Count == 0 ? [] : graph.Nodes)
                    known[node.Index] = node.Id is null ? null : _tasks.GetValueOrDefault(node.Id);
            }
            return _last = new NodeDurations(graph, known, Of);
        }
    }
}
