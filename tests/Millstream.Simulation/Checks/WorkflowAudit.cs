namespace Millstream.Simulation;

/// <summary>What must hold of the journal of a workflow: whatever the order in which its tasks went, each got what those before it gave, and the output is made of all.</summary>
internal sealed class WorkflowAudit(History history, JobRecord job)
{
    private readonly Dictionary<string, int> _results = [];
    private readonly Dictionary<string, int> _inputs = [];

    public void Check(SimulatedWorkflow workflow)
    {
        foreach ((JournalEntry entry, _) in job.Journal.Entries)
        {
            if (entry.Kind == EntryKind.TaskScheduled)
                _inputs.Add(entry.Subject!, JobRecord.Int(entry.Payload));
            else if (entry.Kind == EntryKind.TaskCompleted)
                _results.Add(entry.Subject!, JobRecord.Int(entry.Payload));
        }
        ReadChildren();
        List<int?> values = [];
        foreach (SimulatedNode node in workflow.Nodes)
        {
            List<int?> before = [.. node.After.Select(a => values[a])];
            int? input = node.After.Length == 0 ? job.Plan : before.Contains(null) ? null : SimulatedWorkflow.Mix(before.Select(v => v!.Value));
            values.Add(input is { } got ? ValueOf(node, node.Way == Way.Agent ? workflow.Plan : got) : Unready(node));
        }
        if (job.Journal.Entries[^1].Entry is not { Kind: EntryKind.JobCompleted } last)
            return;
        if (values.Contains(null))
            Fail($"it has completed, and {workflow.Nodes[values.IndexOf(null)].Id} has not");
        else if (JobRecord.Int(last.Payload) is var output && output != SimulatedWorkflow.Mix(values.Select(v => v!.Value)))
            Fail($"its output {output} is not made of what its tasks gave");
    }

    private void ReadChildren()
    {
        Dictionary<int, string> children = [];
        foreach ((JournalEntry entry, _) in job.Journal.Entries)
        {
            if (entry.Payload is ChildOf child)
                (children[entry.Command], _inputs[child.Task]) = (child.Task, JobRecord.Int(child.Input));
            else if (entry.Kind == EntryKind.ChildCompleted)
                _results.Add(children[entry.Command], JobRecord.Int(entry.Payload));
        }
    }

    private int? ValueOf(SimulatedNode node, int input)
    {
        switch (node.Way)
        {
            case Way.If when !SimulatedWorkflow.Holds(input):
                if (_inputs.ContainsKey(node.Id))
                    Fail($"{node.Id} ran although its condition did not hold");
                return 0;
            case Way.ForEach:
                int?[] all = [.. SimulatedWorkflow.Items(input).Select((item, i) => ResultOf($"{node.Id}[{i}]", item))];
                return all.Contains(null) ? null : SimulatedWorkflow.Mix(all.Select(v => v!.Value));
            default:
                return ResultOf(node.Id, input);
        }
    }

    private int? ResultOf(string subject, int input)
    {
        if (_inputs.TryGetValue(subject, out int got) && got != input)
            Fail($"{subject} got {got}, and those before it gave {input}");
        return _results.TryGetValue(subject, out int result) ? result : null;
    }

    private int? Unready(SimulatedNode node)
    {
        if (_inputs.ContainsKey(node.Id))
            Fail($"{node.Id} began before what it needs");
        return null;
    }

    private void Fail(string what) => history.Fail($"{job.Id}: {what}", job);
}
