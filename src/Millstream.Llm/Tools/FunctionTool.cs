using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>A C# function as a tool: each call is a task that runs it.</summary>
internal sealed class FunctionTool : LlmTool
{
    private readonly AgentTask<JsonElement, JsonElement> _task;

    public FunctionTool(AIFunction function, LlmToolOptions options) : base(options.Name ?? function.Name, function.Description, function.JsonSchema, options) => _task = AgentTask.Create<JsonElement, JsonElement>(NameOf(function.Name), async (arguments, context) =>
    {
        AIFunctionArguments given = new(arguments.EnumerateObject().ToDictionary(a => a.Name, a => (object?)a.Value))
        {
            Context = new Dictionary<object, object?> { [typeof(TaskContext)] = context },
            Services = new ServicesOf(context),
        };
        object? result = await function.InvokeAsync(given, context.CancellationToken);
        return result as JsonElement? ?? JsonSerializer.SerializeToElement(result, function.JsonSerializerOptions);
    });

    /// <summary>The function of a method, whose parameter of type <see cref="TaskContext"/> is not the model's to give.</summary>
    public static AIFunction FunctionOf(Delegate method, string? name, string? description) => AIFunctionFactory.Create(method, new AIFunctionFactoryOptions
    {
        Name = name,
        Description = description,
        SerializerOptions = AIJson.Options,
        ConfigureParameterBinding = static parameter => parameter.ParameterType != typeof(TaskContext) ? default : new AIFunctionFactoryOptions.ParameterBindingOptions
        {
            ExcludeFromSchema = true,
            BindParameter = static (_, arguments) => arguments.Context?[typeof(TaskContext)],
        },
    });

    internal override async Task<ToolOutcome> RunAsync(ToolRun run) =>
        new(await RunTaskAsync<JsonElement>(_task, run.Arguments, run));

    // The attempt has services only where the orchestrator has some, and says so when it is asked.
    private sealed class ServicesOf(TaskContext context) : IServiceProvider
    {
        public object? GetService(Type serviceType) => context.Services.GetService(serviceType);
    }
}
