using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>
/// A workflow file that was read and found right: immutable, to be shared by any number of jobs. Its graph is in
/// <see cref="Tasks"/>; what a job needs to start is made by <see cref="BindInput"/>.
/// </summary>
public sealed class WorkflowDefinition
{
    internal WorkflowDefinition(string file, string name, string version)
    {
        File = file;
        Name = name;
        Version = version;
    }

    /// <summary>The file as it was named to the reader; empty for text without a file.</summary>
    public string File { get; }

    /// <summary>The workflow's id.</summary>
    public string Name { get; }

    /// <summary>The workflow's version; <c>version: 1</c> reads as "1".</summary>
    public string Version { get; }

    /// <summary>What the workflow is for, in its author's words; null where nothing is said.</summary>
    public string? Description { get; internal init; }

    /// <summary>The inputs, in the order of the file.</summary>
    public IReadOnlyList<InputDefinition> Inputs { get; internal init; } = [];

    /// <summary>What a local worker should offer, by resource type; empty leaves it to the host.</summary>
    public IReadOnlyDictionary<string, int> Resources { get; internal init; } = new Dictionary<string, int>();

    /// <summary>What happens when a task fails that is not allowed to.</summary>
    public FailureMode OnFailure { get; internal init; }

    /// <summary>The tasks, in the order of the file.</summary>
    public IReadOnlyList<TaskDefinition> Tasks { get; internal init; } = [];

    /// <summary>What is known of the output's type, such as <c>array&lt;string&gt;</c>; <c>any</c> where it shows when it runs.</summary>
    public string OutputType => OutputDataType.ToString();

    internal ValueNode? Output { get; init; }

    internal string Text { get; init; } = "";

    /// <summary>What was read for it, beside its own text.</summary>
    internal WorkflowTexts Texts { get; init; } = new();

    /// <summary>The workflow that the definition describes, to be run by its agent with an input of <see cref="BindInput"/>.</summary>
    /// <param name="kinds">The code of the kinds beside <see cref="BuiltInKinds.All"/>, as <c>sandbox.run</c>.</param>
    /// <param name="agents">The agents that tasks of kind <c>agent</c> may name.</param>
    /// <exception cref="NotSupportedException">A task uses a kind for which no code was given.</exception>
    public Workflow<JsonElement, JsonElement> ToWorkflow(IEnumerable<TaskKind>? kinds = null, AgentRegistry? agents = null) =>
        ToWorkflow(kinds, agents, takesSignals: true);

    // Where nobody can signal the job, a task that waits for a decision would wait for ever.
    internal Workflow<JsonElement, JsonElement> ToWorkflow(IEnumerable<TaskKind>? kinds, AgentRegistry? agents, bool takesSignals) =>
        new WorkflowCompiler(this, BuiltInKinds.All.Concat(kinds ?? []).ToDictionary(k => k.Name, StringComparer.Ordinal), agents ?? new AgentRegistry(), takesSignals).Compile();

    internal DataType OutputDataType { get; init; } = DataType.Any;

    /// <summary>The JSON schema of an input.</summary>
    internal JsonElement InputSchema()
    {
        JsonObject schema = (JsonObject)Json.Node(SchemaTypes.Write(NestedWorkflow.Input(this)))!;
        foreach (InputDefinition input in Inputs)
        {
            JsonObject field = (JsonObject)schema["properties"]![input.Name]!;
            AgentDefinition.Put(field, "description", input.Description);
            AgentDefinition.Put(field, "default", input.Default is { } value ? Json.Node(value) : null);
        }
        return JsonSerializer.SerializeToElement(schema);
    }

    /// <summary>This workflow and those that it runs, inner ones first.</summary>
    internal IEnumerable<WorkflowDefinition> WithNested() =>
        Tasks.Select(t => t.Workflow).OfType<WorkflowDefinition>().SelectMany(w => w.WithNested()).Append(this);

    /// <summary>What a local worker should offer for this workflow and those that it runs: of each type the most that one of them says.</summary>
    internal IReadOnlyDictionary<string, int> AllResources() =>
        WithNested().SelectMany(w => w.Resources).GroupBy(r => r.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Max(r => r.Value), StringComparer.Ordinal);

    /// <summary>
    /// Makes the input of a job: defaults, then <paramref name="values"/>, then <paramref name="assignments"/> of the form
    /// <c>name=value</c>, each read as its input's type (arrays and objects as JSON).
    /// </summary>
    /// <param name="assignments">The assignments, such as <c>path=/srv</c>, for each input one.</param>
    /// <param name="values">A JSON object by input name, or null.</param>
    /// <exception cref="WorkflowFileException">Some input is unknown, missing or of another type; holds all of these faults.</exception>
    public JsonElement BindInput(IEnumerable<string>? assignments = null, JsonElement? values = null) => InputBinder.Bind(this, assignments ?? [], values);
}

/// <summary>One input of a workflow.</summary>
public sealed record InputDefinition
{
    internal InputDefinition(string name, DataType dataType) => (Name, DataType) = (name, dataType);

    /// <summary>The name, as in <c>${{ input.NAME }}</c>.</summary>
    public string Name { get; }

    /// <summary>The type: string, integer, number, boolean, array&lt;T&gt;, object or any.</summary>
    public string Type => DataType.ToString();

    /// <summary>The value when none is given; null for an input that must be given.</summary>
    public JsonElement? Default { get; internal init; }

    /// <summary>What the input is for; null where nothing is said.</summary>
    public string? Description { get; internal init; }

    internal DataType DataType { get; }
}

/// <summary>One task of a workflow file, as a node of its graph.</summary>
public sealed record TaskDefinition
{
    internal TaskDefinition(string id, string uses) => (Id, Uses) = (id, uses);

    /// <summary>The id, as in <c>${{ tasks.ID.output }}</c>.</summary>
    public string Id { get; }

    /// <summary>The kind, such as <c>sandbox.run</c>.</summary>
    public string Uses { get; }

    /// <summary>What the task is for, in its author's words; null where nothing is said.</summary>
    public string? Description { get; internal init; }

    /// <summary>The ids of the tasks it waits for: those it names in expressions and those under <c>needs</c>, in the order of the file.</summary>
    public IReadOnlyList<string> DependsOn { get; internal init; } = [];

    /// <summary>Whether it runs once for each item (or batch of items) of a list.</summary>
    public bool IsForEach => ForEach is not null;

    /// <summary>Whether it may be skipped.</summary>
    public bool IsConditional => If is not null;

    /// <summary>How many items one run gets as a list; null when each run gets one item.</summary>
    public int? Batch { get; internal init; }

    /// <summary>How many runs of a <c>for_each</c> may be under way at once; null leaves it to the resources.</summary>
    public int? MaxParallel { get; internal init; }

    /// <summary>Whether a person is asked, rather than the task repeated, when it may have run.</summary>
    public bool AtMostOnce { get; internal init; }

    /// <summary>Whether the workflow goes on when the task fails.</summary>
    public bool ContinueOnError { get; internal init; }

    /// <summary>The time one attempt may take, from its lease on; null for no bound.</summary>
    public TimeSpan? Timeout { get; internal init; }

    /// <summary>How long one run takes, about, for the time until it is known from earlier jobs; null where nobody says.</summary>
    public TimeSpan? ExpectedTime { get; internal init; }

    /// <summary>How the task is tried again.</summary>
    public RetryDefinition Retry { get; internal init; } = new();

    /// <summary>What it needs beside what its kind needs.</summary>
    public IReadOnlyList<ResourceRequirement> Requires { get; internal init; } = [];

    /// <summary>Where each of <see cref="Requires"/> stands.</summary>
    internal IReadOnlyList<Mark> RequirementMarks { get; init; } = [];

    /// <summary>The workflow that a task of kind <c>workflow</c> runs; else null.</summary>
    public WorkflowDefinition? Workflow { get; internal init; }

    /// <summary>The agent that a task of kind <c>agent</c> runs, where it names a file; else null.</summary>
    public AgentDefinition? Agent { get; internal init; }

    /// <summary>The line where the task begins.</summary>
    public int Line { get; internal init; }

    internal ValueNode With { get; init; } = new MapValue(default, []);

    internal ExpressionValue? ForEach { get; init; }

    internal ValueNode? If { get; init; }
}

/// <summary>How a task is tried again after a failure that may pass.</summary>
public sealed record RetryDefinition
{
    /// <summary>Tries in all, 1 by default.</summary>
    public int Attempts { get; internal init; } = 1;

    /// <summary>The wait before the second try, 1 s by default.</summary>
    public TimeSpan Delay { get; internal init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much longer each further wait is, 2 by default.</summary>
    public double Factor { get; internal init; } = 2;

    /// <summary>The longest wait, 30 s by default.</summary>
    public TimeSpan MaxDelay { get; internal init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether waits are spread at random, so that tasks that failed together do not come back together. True by default.</summary>
    public bool Jitter { get; internal init; } = true;
}
