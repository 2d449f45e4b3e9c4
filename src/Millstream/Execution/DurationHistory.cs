using System.Collections.Concurrent;

namespace Millstream;

/// <summary>How long tasks of workflows took: in this process, and before it by the journal.</summary>
internal sealed class DurationHistory
{
    // Of a store's last jobs of a workflow, and of each so many entries at most, so that a start does not take long.
    private const int Jobs = 5, Entries = 20_000;
    private const int MostWorkflows = 1_000, MostTasks = 20_000;

    private readonly ConcurrentDictionary<string, Workflow> _workflows = new(StringComparer.Ordinal);

    /// <summary>By index of its nodes.</summary>
    public TaskDurations[] Of(WorkflowGraph graph) => Find(graph.Id).Of(graph);

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
            Queue<JobHead> last = new();
            await foreach (JobHead head in storage.ListAsync(new JobHeadFilter { AgentId = agent.Id, Status = JobStatus.Completed, Ended = true }))
            {
                // One agent may execute many workflows; then its jobs are called after theirs.
                if (name != agent.Id && name != head.Name)
                    continue;
                last.Enqueue(head);
                if (last.Count > Jobs)
                    last.Dequeue();
            }
            foreach (JobHead head in last)
                await ReadAsync(storage, head.Id, workflow);
        }
        catch (Exception e) when (e is JournalStorageException or JournalDamagedException)
        {
            // Whoever needs the store, or that job, is told; without it the order of tasks is by the graph alone.
        }
    }

    private static async Task ReadAsync(IJournalStorage storage, JobId job, Workflow workflow)
    {
        Dictionary<int, long> started = [];
        int read = 0;
        await foreach (List<JournalEntry> entries in new RecordReader(storage, job).ReadAsync(1))
        {
            foreach (JournalEntry entry in entries)
            {
                if (entry is { Kind: EntryKind.TaskStarted, Subject: not null })
                    started[entry.Command] = entry.Time;
                else if (entry is { Kind: EntryKind.TaskCompleted, Subject: not null } && started.Remove(entry.Command, out long time))
                    workflow.Of(NodeOf(entry.Subject)).Add(entry.Time - time);
            }
            if ((read += entries.Count) > Entries)
                return;
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
        private readonly ConcurrentDictionary<string, TaskDurations> _tasks = new(StringComparer.Ordinal);
        private (WorkflowGraph Graph, TaskDurations[] Tasks)? _last;

        public Task? Loading { get; set; }

        public TaskDurations Of(string node)
        {
            if (_tasks.Count > MostTasks)
                _tasks.Clear();
            return _tasks.GetOrAdd(node, static _ => new TaskDurations());
        }

        public TaskDurations[] Of(WorkflowGraph graph)
        {
            lock (this)
            {
                if (_last is { } last && last.Graph == graph)
                    return last.Tasks;
                TaskDurations none = new();
                TaskDurations[] tasks = [.. graph.Nodes.Select(n => n.Id is null ? none : Of(n.Id))];
                _last = (graph, tasks);
                return tasks;
            }
        }
    }
}
