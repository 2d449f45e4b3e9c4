namespace Millstream.Definitions;

/// <summary>Whether tasks could ever get what they require: the bounds of one task, and what the files themselves offer.</summary>
internal static class RequirementCheck
{
    private const string Sandbox = "sandbox";

    /// <summary>What one task may ask for, whatever there is.</summary>
    public static void OfTask(FaultList faults, TaskDefinition task, Mark mark, string name)
    {
        bool hasSandbox = task.Uses == "sandbox.run";
        for (int i = 0; i < task.Requires.Count && hasSandbox; i++)
        {
            if (task.Requires[i].Type == Sandbox)
                faults.Add(task.RequirementMarks[i], $"{name}.requires[{i}] asks for a sandbox, which sandbox.run has by itself; leave it out");
        }
        long units = task.Requires.Sum(Places) + (hasSandbox ? 1 : 0);
        if (units > ResourceRequirement.MaxGang)
            faults.Add(mark, $"{name} needs {units} resources together ({(hasSandbox ? "1 sandbox of sandbox.run, " : "")}{string.Join(", ", task.Requires)}); {ResourceRequirement.MaxGang} is the most that one task may take, so ask for less or split the task");
    }

    /// <summary>What the tasks of a file, and of the files that it runs, ask of the types that these offer under 'resources'.</summary>
    public static IEnumerable<WorkflowFault> OfOffers(WorkflowDefinition workflow)
    {
        IReadOnlyDictionary<string, int> offered = workflow.AllResources();
        return workflow.WithNested().SelectMany(w => w.Tasks.SelectMany(t => OfOffers(w.File, t, offered)));
    }

    private static IEnumerable<WorkflowFault> OfOffers(string file, TaskDefinition task, IReadOnlyDictionary<string, int> offered)
    {
        var asked = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < task.Requires.Count; i++)
        {
            ResourceRequirement need = task.Requires[i];
            if (!offered.TryGetValue(need.Type, out int count))
                continue;
            asked[need.Type] = asked.GetValueOrDefault(need.Type) + Places(need);
            string? fault = !need.Labels.Matches(LabelSelector.NoLabels) ? $"what 'resources' offers has no labels"
                : need is { Shared: true, Amount: > 1 } ? $"what 'resources' offers has 1 unit each"
                : asked[need.Type] > count ? $"{(asked[need.Type] > Places(need) ? $"with those before it that is {asked[need.Type]}, and " : "")}'resources' offers {count}"
                : null;
            if (fault is not null)
                yield return new WorkflowFault(file, task.RequirementMarks[i].Line, task.RequirementMarks[i].Column,
                    $"the task '{task.Id}'.requires[{i}] asks for {need}, but {fault}; change one of them, or leave {need.Type} out of 'resources' where the host offers it");
        }
    }

    private static long Places(ResourceRequirement need) => need.Shared ? 1 : need.Amount;
}
