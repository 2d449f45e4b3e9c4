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

    private AIFunctionDeclaration? _declaration;
    private ToolSchema? _schema;

    private protected LlmTool(string name, string description, JsonElement inputSchema, LlmToolOptions options)
    {
        if (!NamePattern().IsMatch(name))
            throw new ArgumentException($"'{name}' is no name of a tool; models take 1 to 64 letters, digits, '_' and '-'.", nameof(name));
        (Name, Description, InputSchema) = (name, options.Description ?? description, inputSchema);
        (Approval, OutputLimit, Options) = (options.Approval ?? ToolApproval.Never, options.OutputLimit, options);
    }

    /// <summary>The name that the model calls it by: 1 to 64 letters, digits, <c>_</c> and <c>-</c>.</summary>
    public string Name { get; }

    /// <summary>What the model reads about it.</summary>
    public string Description { get; }

    /// <summary>The JSON schema of its arguments, an object.</summary>
    public JsonElement InputSchema { get; }

    /// <summary>Whether a person must allow each call.</summary>
    public ToolApproval Approval { get; }

    /// <summary>How many characters of a result the model gets.</summary>
    public int OutputLimit { get; }

    /// <summary>A tool that is a C# function; one that is an <see cref="ApprovalRequiredAIFunction"/> needs approval.</summary>
    /// <exception cref="ArgumentException">Its name is none that models take.</exception>
    public static LlmTool Of(AIFunction function, LlmToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        options ??= new LlmToolOptions();
        return new FunctionTool(function, options with { Approval = options.Approval ?? (function.GetService<ApprovalRequiredAIFunction>() is null ? ToolApproval.Never : ToolApproval.Always) });
    }

    /// <summary>A tool that is a C# method. Its parameters of type <see cref="TaskContext"/> and <see cref="CancellationToken"/> get those of the task.</summary>
    /// <param name="method">The method.</param>
    /// <param name="name">The name that the model calls it by; that of the method when null.</param>
    /// <param name="description">What the model reads about it; the method's <see cref="System.ComponentModel.DescriptionAttribute"/> when null.</param>
    /// <param name="options">How it may be called.</param>
    /// <exception cref="ArgumentException">Its name is none that models take.</exception>
    public static LlmTool Of(Delegate method, string? name = null, string? description = null, LlmToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(method);
        return Of(FunctionTool.FunctionOf(method, name, description), options);
    }

    /// <summary>A tool that is a task, an agent or a workflow. Its arguments are the input: the fields of an object, or <c>input</c> where the input is none.</summary>
    /// <param name="work">The task, agent or workflow. An agent or workflow runs as a child job.</param>
    /// <param name="description">What the model reads about it.</param>
    /// <param name="options">How it may be called.</param>
    /// <exception cref="ArgumentException">It has resources or a policy for an agent or workflow, which take none.</exception>
    public static LlmTool Of<TInput, TOutput>(IWork<TInput, TOutput> work, string description, LlmToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        options ??= new LlmToolOptions();
        return work.Runner is AgentTask task ? new TaskTool<TInput, TOutput>(task, description, options) : new AgentTool<TInput, TOutput>((Agent)work.Runner, description, options);
    }

    /// <summary>A tool that is a task whose arguments have a schema of their own.</summary>
    /// <param name="task">The task; it gets the arguments, an object that fits the schema.</param>
    /// <param name="description">What the model reads about it.</param>
    /// <param name="inputSchema">The JSON schema of the arguments, of an object.</param>
    /// <param name="options">How it may be called.</param>
    public static LlmTool Of(AgentTask<JsonElement, JsonElement> task, string description, JsonElement inputSchema, LlmToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        return new JsonTaskTool(task, description, inputSchema, options ?? new LlmToolOptions());
    }

    /// <summary>A tool that is an agent or a workflow whose input is made of the arguments. Each call is a child job.</summary>
    /// <param name="agent">The agent, or that of the workflow.</param>
    /// <param name="description">What the model reads about it.</param>
    /// <param name="inputSchema">The JSON schema of the arguments, of an object.</param>
    /// <param name="input">Makes the input of arguments that fit the schema. Pure: called again when a job is replayed.</param>
    /// <param name="options">How it may be called.</param>
    /// <exception cref="ArgumentException">It has resources or a policy, which an agent takes none of.</exception>
    public static LlmTool Of<TInput, TOutput, TEvent, TSignal>(
        Agent<TInput, TOutput, TEvent, TSignal> agent, string description, JsonElement inputSchema, Func<JsonElement, TInput> input, LlmToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        return new AgentTool<TInput, TOutput>(agent, description, options ?? new LlmToolOptions(), new WorkInput(inputSchema, arguments => input(arguments)));
    }

    /// <summary>How it may be called.</summary>
    private protected LlmToolOptions Options { get; }

    /// <summary>Whether a call starts a child job that may call agents itself.</summary>
    internal virtual bool IsAgent => false;

    /// <summary>What kind of tool it is in traces: <c>function</c> runs here, <c>extension</c> on a server.</summary>
    internal virtual string TraceType => "function";

    /// <summary>What the model is told there is.</summary>
    internal AIFunctionDeclaration Declaration => _declaration ??= AIFunctionFactory.CreateDeclaration(Name, Description, InputSchema);

    /// <summary>What arguments are checked against.</summary>
    internal ToolSchema Schema => _schema ??= new ToolSchema(InputSchema);

    /// <summary>Runs one call, as a task or a child job with this id. Called inside a turn.</summary>
    internal abstract Task<ToolOutcome> RunAsync(ToolRun run);

    /// <summary>An id as a name that models take.</summary>
    internal static string NameOf(string id)
    {
        string name = OtherCharacters().Replace(id, "_");
        return name.Length <= 64 ? name : name[..64];
    }

    private protected Task<TOutput> RunTaskAsync<TOutput>(AgentTask task, object? input, ToolRun run) =>
        run.Context.RunTaskAsync<TOutput>(task, input, run.Id, new RunSettings(Options.Policy ?? task.Policy, Requirements: Options.Requirements, Trace: new ToolTrace(this, run)), run.Stop);

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,64}\z")] private static partial Regex NamePattern();
    [GeneratedRegex("[^A-Za-z0-9_-]")] private static partial Regex OtherCharacters();
}

/// <summary>One call of a tool.</summary>
/// <param name="Context">The job's context.</param>
/// <param name="Id">The id that the task or child shows in the stream.</param>
/// <param name="CallId">The id that the model gave the call.</param>
/// <param name="Arguments">The checked arguments, an object.</param>
/// <param name="Stop">Stops it.</param>
internal sealed record ToolRun(AgentContext Context, string Id, string CallId, JsonElement Arguments, CancellationToken Stop);

/// <summary>What a call gave; a failure is thrown instead.</summary>
/// <param name="Result">The result as JSON; a string is given to the model as it is.</param>
internal sealed record ToolOutcome(JsonElement Result)
{
    /// <summary>Whether the tool says itself that it failed.</summary>
    public bool IsError { get; init; }

    /// <summary>The tools that its server has now, where they are others and the call was not made.</summary>
    public McpTools? Changed { get; init; }
}
