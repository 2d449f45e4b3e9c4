namespace Millstream;

/// <summary>A unit of execution that touches the world, as workers and schedulers see it. Derive from <see cref="AgentTask{TInput,TOutput}"/> or use <c>AgentTask.Create</c>.</summary>
public abstract class AgentTask
{
    private RunSettings? _settings;

    private protected AgentTask()
    {
    }

    /// <summary>The id that its job's stream shows; the type's name unless overridden.</summary>
    public virtual string Id => GetType().Name;

    /// <summary>The name for people.</summary>
    public virtual string Name => Id;

    /// <summary>What it needs of resources, granted all or none; nothing but a worker's slot unless overridden.</summary>
    public virtual IReadOnlyList<ResourceRequirement> Requirements => [];

    /// <summary>How it is retried and how long an attempt may take.</summary>
    public virtual TaskPolicy Policy => TaskPolicy.Default;

    /// <summary>The settings of runs that go by the task alone.</summary>
    internal RunSettings DefaultSettings
    {
        get
        {
            // A task may give another policy each time.
            TaskPolicy policy = Policy;
            return _settings is { } known && known.Policy == policy ? known : _settings = new RunSettings(policy);
        }
    }

    /// <summary>What it needs for one input.</summary>
    internal abstract IReadOnlyList<ResourceRequirement> RequirementsOf(object? input);

    internal abstract PayloadType InputType { get; }

    internal abstract PayloadType OutputType { get; }

    /// <summary>Makes a task of a function.</summary>
    /// <param name="id">The id that streams show: letters, digits, <c>_</c>, <c>-</c>, <c>.</c>.</param>
    /// <param name="run">What it does; called once for each attempt.</param>
    /// <param name="requirements">What it needs of resources.</param>
    /// <param name="policy">How it is retried.</param>
    /// <exception cref="ArgumentException">The id is none, or it asks for more than <see cref="ResourceRequirement.MaxGang"/> resources together.</exception>
    public static AgentTask<TInput, TOutput> Create<TInput, TOutput>(
        string id, Func<TInput, TaskContext, Task<TOutput>> run, IReadOnlyList<ResourceRequirement>? requirements = null, TaskPolicy? policy = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        ResourceRequirement.CheckGang(Checked(id), requirements ?? [], null);
        return new FunctionTask<TInput, TOutput>(id, run, requirements ?? [], policy ?? TaskPolicy.Default, null);
    }

    /// <summary>Makes a task of a function, whose needs depend on its input.</summary>
    /// <param name="id">The id that streams show: letters, digits, <c>_</c>, <c>-</c>, <c>.</c>.</param>
    /// <param name="run">What it does; called once for each attempt.</param>
    /// <param name="requirements">What it needs of resources for an input: see <see cref="AgentTask{TInput,TOutput}.RequirementsFor"/>.</param>
    /// <param name="policy">How it is retried.</param>
    /// <exception cref="ArgumentException">The id is none.</exception>
    public static AgentTask<TInput, TOutput> Create<TInput, TOutput>(
        string id, Func<TInput, TaskContext, Task<TOutput>> run, Func<TInput, IReadOnlyList<ResourceRequirement>> requirements, TaskPolicy? policy = null)
    {
        ArgumentNullException.ThrowIfNull(requirements);
        return new FunctionTask<TInput, TOutput>(Checked(id), run ?? throw new ArgumentNullException(nameof(run)), [], policy ?? TaskPolicy.Default, requirements);
    }

    private static string Checked(string id)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        return Words.IsId(id) ? id : throw new ArgumentException($"'{id}' is no id of a task; use letters, digits, '_', '-' and '.'.", nameof(id));
    }

    /// <summary>Runs one attempt. Done when the returned outcome is filled; an exception is the attempt's failure.</summary>
    internal abstract ValueTask<object?> RunErasedAsync(object? input, TaskContext context);

    private sealed class FunctionTask<TInput, TOutput>(
        string id, Func<TInput, TaskContext, Task<TOutput>> run, IReadOnlyList<ResourceRequirement> requirements, TaskPolicy policy,
        Func<TInput, IReadOnlyList<ResourceRequirement>>? requirementsFor) : AgentTask<TInput, TOutput>
    {
        public override string Id => id;

        public override IReadOnlyList<ResourceRequirement> Requirements => requirements;

        public override TaskPolicy Policy => policy;

        protected override IReadOnlyList<ResourceRequirement> RequirementsFor(TInput input) => requirementsFor is null ? requirements : requirementsFor(input);

        protected override Task<TOutput> RunCoreAsync(TInput input, TaskContext context) => run(input, context);
    }
}

/// <summary>
/// A unit of execution that touches the world: a tool call, a model call, a command in a sandbox. One instance serves all jobs. It may run
/// more than once for one result (after a crash), so it does its work under <see cref="TaskContext.IdempotencyKey"/> where that matters.
/// </summary>
/// <typeparam name="TInput">What it takes.</typeparam>
/// <typeparam name="TOutput">What it gives.</typeparam>
public abstract class AgentTask<TInput, TOutput> : AgentTask, IWork<TInput, TOutput>
{
    object IWork<TInput, TOutput>.Runner => this;

    internal sealed override PayloadType InputType => PayloadType.Of<TInput>();

    internal sealed override PayloadType OutputType => PayloadType.Of<TOutput>();

    /// <summary>
    /// What it needs of resources for one input; <see cref="AgentTask.Requirements"/> unless overridden. Asked once for each task of a job, and once more after
    /// a crash. It must not change the input; an exception fails the task.
    /// </summary>
    protected virtual IReadOnlyList<ResourceRequirement> RequirementsFor(TInput input) => Requirements;

    internal sealed override IReadOnlyList<ResourceRequirement> RequirementsOf(object? input) => RequirementsFor((TInput)input!);

    /// <summary>One attempt. An exception fails it; <see cref="TerminalTaskException"/> says that no other attempt can do better.</summary>
    protected abstract Task<TOutput> RunCoreAsync(TInput input, TaskContext context);

    internal Task<TOutput> RunAsync(TInput input, TaskContext context) => RunCoreAsync(input, context);

    internal sealed override ValueTask<object?> RunErasedAsync(object? input, TaskContext context)
    {
        Task<TOutput> run = RunCoreAsync((TInput)input!, context) ?? throw new TerminalTaskException($"task {Id} returned null instead of a Task; make its method async, or return Task.FromResult(…)");
        return run.IsCompletedSuccessfully ? new ValueTask<object?>(run.Result) : new ValueTask<object?>(Awaited(run));

        static async Task<object?> Awaited(Task<TOutput> run) => await run;
    }
}
