using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// What an LLM agent may call: a C# function, a task, another agent, a workflow. Each call is a task or a child job of the agent's job, with its own
/// requirements, retries and stream; its arguments are checked against the schema before it runs.
/// </summary>
public abstract partial class LlmTool
{
    /// <summary>How many characters of a result the model gets, unless a tool says otherwise.</summary>
    public const int DefaultOutputLimit = 32 * 1024;

    private readonly int _outputLimit = DefaultOutputLimit;

    private protected LlmTool(string name, string description, JsonElement inputSchema)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(description);
        if (!NamePattern().IsMatch(name))
            throw new ArgumentException($"'{name}' is no name of a tool; models take 1 to 64 letters, digits, '_' and '-'.", nameof(name));
        (Name, Description, InputSchema) = (name, description, inputSchema);
    }

    /// <summary>The name that the model calls it by: 1 to 64 letters, digits, <c>_</c> and <c>-</c>.</summary>
    public string Name { get; }

    /// <summary>What the model reads about it.</summary>
    public string Description { get; }

    /// <summary>The JSON schema of its arguments, an object.</summary>
    public JsonElement InputSchema { get; }

    /// <summary>Whether a person must allow each call.</summary>
    public ToolApproval Approval { get; init; }

    /// <summary>How many characters of a result the model gets; what is longer is cut in the middle, and the cut is told. 1 or more.</summary>
    public int OutputLimit
    {
        get => _outputLimit;
        init => _outputLimit = value >= 1 ? value : throw new ArgumentException($"{nameof(OutputLimit)} of tool {Name} is {value}; give 1 or more characters.", nameof(value));
    }

    /// <summary>A tool that is a C# function. Parameters of type <see cref="TaskContext"/> and <see cref="CancellationToken"/> get those of the task.</summary>
    /// <param name="function">The function.</param>
    /// <param name="requirements">What each call needs of resources.</param>
    /// <param name="policy">How calls are retried; one attempt when null.</param>
    public static LlmTool Of(AIFunction function, IReadOnlyList<ResourceRequirement>? requirements = null, TaskPolicy? policy = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new FunctionTool(function, requirements ?? [], policy) { Approval = function.GetService<ApprovalRequiredAIFunction>() is null ? ToolApproval.Never : ToolApproval.Always };
    }

    /// <summary>A tool that is a C# method; name, description and schema come from the method and its attributes.</summary>
    /// <param name="method">The method. Parameters of type <see cref="TaskContext"/> and <see cref="CancellationToken"/> get those of the task.</param>
    /// <param name="name">The name; that of the method when null.</param>
    /// <param name="description">The description; that of the method's attribute when null.</param>
    /// <param name="requirements">What each call needs of resources.</param>
    /// <param name="policy">How calls are retried; one attempt when null.</param>
    public static LlmTool Of(Delegate method, string? name = null, string? description = null, IReadOnlyList<ResourceRequirement>? requirements = null, TaskPolicy? policy = null)
    {
        ArgumentNullException.ThrowIfNull(method);
        return Of(FunctionTool.FunctionOf(method, name, description), requirements, policy);
    }

    /// <summary>A tool that is a task, an agent or a workflow. Its arguments are the input: the fields of an object, or <c>input</c> where the input is none.</summary>
    /// <param name="work">The task, agent or workflow. An agent or workflow runs as a child job.</param>
    /// <param name="description">What the model reads about it.</param>
    /// <param name="name">The name; made of the id when null.</param>
    public static LlmTool Of<TInput, TOutput>(IWork<TInput, TOutput> work, string description, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        return work.Runner is AgentTask task
            ? new TaskTool<TInput, TOutput>(task, name ?? NameOf(task.Id), description)
            : new AgentTool<TInput, TOutput>((Agent)work.Runner, name ?? NameOf(((Agent)work.Runner).Id), description);
    }

    /// <summary>Whether a call starts a child job that may call agents itself.</summary>
    internal virtual bool IsAgent => false;

    /// <summary>What the model is told there is.</summary>
    internal AIFunctionDeclaration Declaration => _declaration ??= AIFunctionFactory.CreateDeclaration(Name, Description, InputSchema);

    private AIFunctionDeclaration? _declaration;

    /// <summary>Runs one call, as a task or a child job with this id. Called inside a turn.</summary>
    internal abstract Task<ToolOutcome> RunAsync(ToolRun run);

    /// <summary>An id as a name that models take.</summary>
    internal static string NameOf(string id)
    {
        string name = OtherCharacters().Replace(id, "_");
        return name.Length <= 64 ? name : name[..64];
    }

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,64}\z")] private static partial Regex NamePattern();
    [GeneratedRegex("[^A-Za-z0-9_-]")] private static partial Regex OtherCharacters();
}

/// <summary>One call of a tool.</summary>
/// <param name="Context">The job's context.</param>
/// <param name="Id">The id that the task or child shows in the stream.</param>
/// <param name="Arguments">The checked arguments, an object.</param>
/// <param name="Stop">Stops it.</param>
internal sealed record ToolRun(AgentContext Context, string Id, JsonElement Arguments, CancellationToken Stop);

/// <summary>What a call gave; a failure is thrown instead.</summary>
/// <param name="Result">The result as JSON; a string is given to the model as it is.</param>
internal sealed record ToolOutcome(JsonElement Result);
