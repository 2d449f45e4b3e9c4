using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream.Definitions;

/// <summary>
/// What a job of a workflow file starts with: everything that its files say, so that the job goes on as it began when they are edited, moved or
/// deleted. Made by <see cref="Of"/>.
/// </summary>
public sealed record FileWorkflowInput
{
    /// <summary>The workflow's id.</summary>
    public required string Name { get; init; }

    /// <summary>The workflow's version.</summary>
    public required string Version { get; init; }

    /// <summary>The file as it was named, for faults; other files are found relative to it. Empty for text without a file.</summary>
    public required string File { get; init; }

    /// <summary>The absolute folder that relative paths mean, those of files and those of tasks.</summary>
    public required string Folder { get; init; }

    /// <summary>The text of the file.</summary>
    public required string Text { get; init; }

    /// <summary>The texts of the workflow and template files that it names, by absolute path.</summary>
    public required IReadOnlyDictionary<string, string> Texts { get; init; }

    /// <summary>The workflow's input, as of <see cref="WorkflowDefinition.BindInput"/>.</summary>
    public required JsonElement Inputs { get; init; }

    /// <summary>Whether somebody can signal the job; where nobody can, <c>on_failure: wait</c> acts as <c>finish</c>.</summary>
    public bool TakesSignals { get; init; } = true;

    /// <summary>Whether a model has written it, so that its tasks may do no more than the tools of an agent without settings of their own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsRestricted { get; init; }

    /// <summary>The input of a job that runs a workflow file.</summary>
    /// <param name="workflow">The workflow, read within the default limits.</param>
    /// <param name="inputs">Its input, as of <see cref="WorkflowDefinition.BindInput"/>.</param>
    public static FileWorkflowInput Of(WorkflowDefinition workflow, JsonElement inputs)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        string own = workflow.Texts.FullPath(workflow.File.Length == 0 ? "." : workflow.File);
        return new FileWorkflowInput
        {
            Name = workflow.Name,
            Version = workflow.Version,
            File = workflow.File,
            Folder = workflow.Texts.Folder,
            Text = workflow.Text,
            // Sorted, so that one definition always gives the same bytes.
            Texts = new SortedDictionary<string, string>(workflow.Texts.All.Where(t => t.Key != own || t.Value != workflow.Text).ToDictionary(), StringComparer.Ordinal),
            Inputs = inputs,
        };
    }

    /// <summary>Whether it is the same files with the same inputs.</summary>
    internal bool IsSameAs(FileWorkflowInput other) => Text == other.Text && Texts.OrderBy(t => t.Key, StringComparer.Ordinal).SequenceEqual(other.Texts.OrderBy(t => t.Key, StringComparer.Ordinal))
        && JsonElement.DeepEquals(Inputs, other.Inputs);

    /// <summary>The workflow that it holds; no file is read.</summary>
    /// <exception cref="WorkflowFileException">Something in the texts is wrong.</exception>
    public WorkflowDefinition Definition()
    {
        WorkflowTexts texts = new(Folder, Texts);
        return WorkflowFile.Parse(Text, File, WorkflowLimits.Default, texts, []);
    }
}
