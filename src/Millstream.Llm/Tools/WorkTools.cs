using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>The arguments of a tool as the input of a task or agent.</summary>
internal sealed class WorkInput(JsonElement schema, Func<JsonElement, object?> read)
{
    private const string Name = "input";

    public JsonElement Schema => schema;

    /// <exception cref="ToolInputException">They fit the schema, and are none all the same.</exception>
    public object? Read(JsonElement arguments)
    {
        try
        {
            return read(arguments);
        }
        catch (Exception e)
        {
            // Constructors and converters are a user's code.
            throw new ToolInputException(e.Message, e);
        }
    }

    /// <summary>Of a type: an object is its own fields, anything else stands under <c>input</c>.</summary>
    public static WorkInput Of(PayloadType type)
    {
        bool isWrapped = !IsObject(SchemaOf(type.Type));
        return new WorkInput(MakeSchema(type.Type), arguments => type.Read(isWrapped ? arguments.GetProperty(Name) : arguments));
    }

    private static JsonElement SchemaOf(Type type) => AIJsonUtilities.CreateJsonSchema(type, serializerOptions: AgentContract.DefaultOptions, inferenceOptions: new AIJsonSchemaCreateOptions { TransformOptions = null });

    private static bool IsObject(JsonElement schema) => schema.ValueKind is JsonValueKind.Object && schema.TryGetProperty("type", out JsonElement kind) && kind.ValueKind is JsonValueKind.String && kind.ValueEquals("object");

    private static JsonElement MakeSchema(Type type)
    {
        JsonElement schema = SchemaOf(type);
        return IsObject(schema) ? schema : JsonSerializer.SerializeToElement(new Dictionary<string, object>
        {
            ["type"] = "object", ["properties"] = new Dictionary<string, JsonElement> { [Name] = schema }, ["required"] = new[] { Name },
        }, AIJson.Options);
    }
}

/// <summary>A task as a tool.</summary>
internal sealed class TaskTool<TInput, TOutput> : LlmTool
{
    private readonly AgentTask _task;
    private readonly WorkInput _input;

    public TaskTool(AgentTask task, string description, LlmToolOptions options) : this(task, description, options, WorkInput.Of(task.InputType))
    {
    }

    private TaskTool(AgentTask task, string description, LlmToolOptions options, WorkInput input) : base(options.Name ?? NameOf(task.Id), description, input.Schema, options) => (_task, _input) = (task, input);

    internal override async Task<ToolOutcome> RunAsync(ToolRun run)
    {
        TOutput output = await RunTaskAsync<TOutput>(_task, _input.Read(run.Arguments), run);
        return new ToolOutcome(_task.OutputType.Write(output));
    }
}

/// <summary>A task of JSON with a schema of its own as a tool.</summary>
internal sealed class JsonTaskTool(AgentTask<JsonElement, JsonElement> task, string description, JsonElement schema, LlmToolOptions options)
    : LlmTool(options.Name ?? NameOf(task.Id), description, schema, options)
{
    internal override async Task<ToolOutcome> RunAsync(ToolRun run) => new(await RunTaskAsync<JsonElement>(task, run.Arguments, run));
}

/// <summary>An agent or a workflow as a tool: each call is a child job.</summary>
internal sealed class AgentTool<TInput, TOutput> : LlmTool
{
    private readonly Agent _agent;
    private readonly WorkInput _input;

    public AgentTool(Agent agent, string description, LlmToolOptions options) : this(agent, description, options, WorkInput.Of(agent.Contract.Input))
    {
    }

    public AgentTool(Agent agent, string description, LlmToolOptions options, WorkInput input) : base(options.Name ?? NameOf(agent.Id), description, input.Schema, options)
    {
        if (options.Requirements.Count > 0 || options.Policy is not null)
            throw new ArgumentException($"Tool {Name} is an agent or workflow, which takes no {(options.Policy is null ? nameof(LlmToolOptions.Requirements) : nameof(LlmToolOptions.Policy))}; the tasks in it have their own.", nameof(options));
        (_agent, _input) = (agent, input);
    }

    internal override bool IsAgent => true;

    internal override async Task<ToolOutcome> RunAsync(ToolRun run)
    {
        TOutput output = await run.Context.RunChildAsync<TOutput>(_agent, _input.Read(run.Arguments), run.Id, run.Stop, new ToolTrace(this, run));
        return new ToolOutcome(_agent.Contract.Output.Write(output));
    }
}

/// <summary>A tool cannot take these arguments.</summary>
internal sealed class ToolInputException(string message, Exception inner) : Exception(message, inner);
