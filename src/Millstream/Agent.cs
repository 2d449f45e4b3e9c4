using System.Text.Json;

namespace Millstream;

/// <summary>
/// A program with a typed input, a stream of events out, a stream of signals in and a typed output, as registry, orchestrator and command
/// see it. Derive from <see cref="Agent{TInput,TOutput}"/> or a longer form.
/// </summary>
public abstract class Agent
{
    private AgentContract? _contract;

    private protected Agent()
    {
    }

    /// <summary>The id by which a registry finds the agent; the type's name unless overridden.</summary>
    public virtual string Id => GetType().Name;

    /// <summary>The name for people.</summary>
    public virtual string Name => Id;

    /// <summary>The version that a job records; "1" unless overridden.</summary>
    public virtual string Version => "1";

    /// <summary>The types of input, output, events and signals, with their JSON schemas.</summary>
    /// <exception cref="AgentContractException">Some type does not survive as JSON; the message lists all faults.</exception>
    public AgentContract Contract => _contract ??= MakeContract();

    /// <summary>Whether this code can go on with a job that another version started; only the same version unless overridden.</summary>
    public virtual bool CanRun(string version) => version == Version;

    /// <summary>The <see cref="Operation"/> of those that execute workflows.</summary>
    internal const string WorkflowOperation = "invoke_workflow";

    /// <summary>What traces call a job of it: the operation of OpenTelemetry's conventions for GenAI.</summary>
    internal virtual string Operation => "invoke_agent";

    /// <summary>Its name in traces: of few values, where one agent stands for many.</summary>
    internal virtual string NameFor(object? input) => Name;

    /// <summary>Reads an input.</summary>
    /// <exception cref="ArgumentException">It does not fit.</exception>
    internal object? ReadInput(JsonElement json)
    {
        try
        {
            return Contract.Input.Read(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new ArgumentException($"This is not the input of agent {Id} ({Contract.Input.Type.Name}): {e.Message}", nameof(json), e);
        }
    }

    private protected virtual JsonSerializerOptions Json => AgentContract.DefaultOptions;

    /// <summary>How a state of the agent becomes JSON; null where it has none.</summary>
    private protected virtual PayloadType? CheckState(JsonSerializerOptions json, List<string> faults) => null;

    private protected abstract AgentContract MakeContract();

    internal abstract Task<object?> RunErasedAsync(object? input, IJobRuntime runtime);
}

/// <summary>
/// An agent with events and signals. One instance serves all jobs at once, so it holds no state of a job: that lives in the body's locals.
/// </summary>
/// <typeparam name="TInput">What a job starts with.</typeparam>
/// <typeparam name="TOutput">What a job gives.</typeparam>
/// <typeparam name="TEvent">What its stream consists of.</typeparam>
/// <typeparam name="TSignal">What can be sent to it.</typeparam>
public abstract class Agent<TInput, TOutput, TEvent, TSignal> : Agent, IWork<TInput, TOutput>
{
    object IWork<TInput, TOutput>.Runner => this;

    /// <summary>
    /// The body. It runs in turns and gets everything from outside through its context; <c>await</c> nothing else
    /// (<see cref="AgentContext.StepAsync"/> takes a line of outside work).
    /// </summary>
    /// <param name="input">The job's input; to be treated as immutable.</param>
    /// <param name="context">The job's only door to the world.</param>
    /// <returns>The job's output.</returns>
    protected abstract Task<TOutput> RunCoreAsync(TInput input, AgentContext<TEvent, TSignal> context);

    private protected sealed override AgentContract MakeContract() => AgentContract.Of<TInput, TOutput, TEvent, TSignal>(Id, Json, CheckState);

    internal sealed override async Task<object?> RunErasedAsync(object? input, IJobRuntime runtime) =>
        await RunCoreAsync(input is null ? default! : (TInput)input, runtime.MakeContext<TEvent, TSignal>());
}

/// <summary>An agent with events and without signals.</summary>
public abstract class Agent<TInput, TOutput, TEvent> : Agent<TInput, TOutput, TEvent, Nothing>
{
    /// <inheritdoc cref="Agent{TInput,TOutput,TEvent,TSignal}.RunCoreAsync"/>
    protected abstract Task<TOutput> RunCoreAsync(TInput input, AgentContext<TEvent> context);

    /// <inheritdoc/>
    protected sealed override Task<TOutput> RunCoreAsync(TInput input, AgentContext<TEvent, Nothing> context) => RunCoreAsync(input, (AgentContext<TEvent>)context);
}

/// <summary>An agent without events and signals.</summary>
public abstract class Agent<TInput, TOutput> : Agent<TInput, TOutput, Nothing, Nothing>
{
    /// <inheritdoc cref="Agent{TInput,TOutput,TEvent,TSignal}.RunCoreAsync"/>
    protected abstract Task<TOutput> RunCoreAsync(TInput input, AgentContext context);

    /// <inheritdoc/>
    protected sealed override Task<TOutput> RunCoreAsync(TInput input, AgentContext<Nothing, Nothing> context) => RunCoreAsync(input, (AgentContext)context);
}
