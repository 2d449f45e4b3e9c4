using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>Agents for whoever calls functions.</summary>
public static class AgentFunctions
{
    /// <summary>An agent as an <see cref="AIFunction"/>: each call is a job. Cancelling the call cancels the job.</summary>
    /// <param name="agent">The agent; its input are the arguments, as with <see cref="LlmTool.Of{TInput,TOutput}(IWork{TInput,TOutput},string,LlmToolOptions?)"/>.</param>
    /// <param name="orchestrator">Where the jobs run.</param>
    /// <param name="description">What a model reads about it.</param>
    /// <param name="name">The name; the agent's id when null.</param>
    public static AIFunction AsAIFunction<TInput, TOutput, TEvent, TSignal>(
        this Agent<TInput, TOutput, TEvent, TSignal> agent, AgentOrchestrator orchestrator, string description, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(orchestrator);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        return new AgentFunction<TInput, TOutput, TEvent, TSignal>(agent, orchestrator, description, name ?? LlmTool.NameOf(agent.Id));
    }

    private sealed class AgentFunction<TInput, TOutput, TEvent, TSignal>(Agent<TInput, TOutput, TEvent, TSignal> agent, AgentOrchestrator orchestrator, string description, string name) : AIFunction
    {
        private readonly WorkInput _input = WorkInput.Of(agent.Contract.Input);

        public override string Name => name;

        public override string Description => description;

        public override JsonElement JsonSchema => _input.Schema;

        public override JsonElement? ReturnJsonSchema => agent.Contract.OutputSchema;

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            JsonElement given = JsonSerializer.SerializeToElement(arguments.ToDictionary(a => a.Key, a => a.Value), AIJson.Options);
            if (new ToolSchema(JsonSchema).Fault(given) is { } fault)
                throw new ArgumentException($"The arguments of {Name} do not fit its schema: {fault}.", nameof(arguments));
            await using Job<TOutput, TEvent, TSignal> job = await orchestrator.CreateJobAsync(agent, (TInput)_input.Read(given)!);
            using CancellationTokenRegistration cancel = cancellationToken.Register(static job => _ = ((Job)job!).CancelAsync("its caller cancelled"), job);
            TOutput output = await job.Completion;
            return output is string text ? text : agent.Contract.Output.Write(output);
        }
    }
}
