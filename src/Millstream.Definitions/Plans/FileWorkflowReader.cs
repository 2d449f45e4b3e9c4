using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>
/// Reads workflows that agents write while they run: the same language as that of workflow files, of the allowed kinds only, and restricted when it runs, since a model is not trusted
/// as the author of a file is.
/// </summary>
/// <param name="agent">What runs them.</param>
public sealed class FileWorkflowReader(FileWorkflowAgent agent) : IWorkflowReader
{
    /// <inheritdoc/>
    public string Guide(WorkflowRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return PlanGuide.Of(rules);
    }

    /// <inheritdoc/>
    public WorkflowReading Read(string text, WorkflowRules rules)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(rules);
        WorkflowTexts texts = new(rules.Folder, rules.Files.ToDictionary(f => Path.GetFullPath(f.Key, rules.Folder), f => f.Value, StringComparer.Ordinal));
        try
        {
            WorkflowDefinition workflow = WorkflowFile.Parse(text, "", WorkflowLimits.Default, texts, [], hasAgents: false);
            string[] faults = [.. Faults(workflow, rules)];
            if (faults.Length > 0)
                return new WorkflowReading(faults, null, default);
            FileWorkflowInput input = FileWorkflowInput.Of(workflow, workflow.BindInput()) with { IsRestricted = true, TakesSignals = false };
            return new WorkflowReading([], agent, JsonSerializer.SerializeToElement(input, AgentContract.DefaultOptions));
        }
        catch (WorkflowFileException e)
        {
            return new WorkflowReading([.. e.Faults.Select(f => f.Line > 0 ? $"line {f.Line}, column {f.Column}: {f.Message}" : f.Message)], null, default);
        }
    }

    private static IEnumerable<string> Faults(WorkflowDefinition workflow, WorkflowRules rules)
    {
        foreach (InputDefinition input in workflow.Inputs.Where(i => i.Default is null))
            yield return $"the input '{input.Name}' has no default, and nobody gives one; write the value where it is used";
        foreach (TaskDefinition task in workflow.Tasks.Where(t => !rules.Kinds.Contains(t.Uses)))
            yield return $"line {task.Line}: the task '{task.Id}' uses {task.Uses}, which is not allowed here; allowed are: {string.Join(", ", rules.Kinds)}";
        // Kinds take what they need. With more, a plan could keep a whole endpoint from everybody else.
        if (workflow.Resources.Count > 0)
            yield return "'resources' is not allowed here; the host says what it offers, so leave it out";
        foreach (TaskDefinition task in workflow.Tasks.Where(t => t.Requires.Count > 0))
            yield return $"line {task.RequirementMarks[0].Line}: the task '{task.Id}' has 'requires', which is not allowed here; a task takes what its kind needs, so leave it out";
    }
}
