using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>
/// A body's only door to the world. Everything it gives is recorded, so that a job can be replayed. It may be used inside the job's
/// turns only: from other threads, or after the body returned, every member throws <see cref="OutsideTurnException"/>.
/// </summary>
public abstract class AgentContext
{
    private protected AgentContext()
    {
    }

    /// <summary>The job.</summary>
    public abstract JobId JobId { get; }

    /// <summary>The recorded time of what this turn was started by; it stands still within the turn.</summary>
    public abstract DateTimeOffset Now { get; }

    /// <summary>Random numbers that are the same in a replay.</summary>
    public abstract Random Random { get; }

    /// <summary>Fires, inside a turn, when the job is cancelled.</summary>
    public abstract CancellationToken Cancelled { get; }

    /// <summary>A logger that is silent during a replay.</summary>
    public abstract ILogger Logger { get; }

    /// <summary>An id that is the same in a replay.</summary>
    public abstract Guid NewId();

    /// <summary>Done when everything up to here is durable.</summary>
    public abstract Task FlushAsync();

    /// <summary>Runs a task: queued, leased, retried by its policy.</summary>
    /// <param name="task">The task.</param>
    /// <param name="input">Its input; to be treated as immutable.</param>
    /// <param name="token">Stops the task when cancelled inside a turn; its await then ends when it has ended.</param>
    /// <exception cref="TaskFailedException">The task failed for good; holds the recorded error.</exception>
    /// <exception cref="OperationCanceledException">The task was stopped.</exception>
    public Task<TOutput> RunAsync<TInput, TOutput>(AgentTask<TInput, TOutput> task, TInput input, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        return RunTaskAsync<TOutput>(task, input, task.Id, task.DefaultSettings, token);
    }

    /// <summary>Runs a task for each input, as many at once as resources allow. The first failure stops the others and is thrown when they have ended.</summary>
    /// <returns>The results, in the order of the inputs.</returns>
    /// <exception cref="TaskFailedException">A task failed for good.</exception>
    public Task<TOutput[]> RunAllAsync<TInput, TOutput>(AgentTask<TInput, TOutput> task, IReadOnlyList<TInput> inputs, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(inputs);
        return RunTasksAsync(task, inputs, token);
    }

    /// <summary>Runs another agent as a child job; its events show in this job's stream.</summary>
    /// <returns>The child's output.</returns>
    /// <exception cref="ChildJobFailedException">The child failed.</exception>
    /// <exception cref="OperationCanceledException">The child was cancelled.</exception>
    public Task<TOutput> RunAsync<TInput, TOutput, TEvent, TSignal>(Agent<TInput, TOutput, TEvent, TSignal> child, TInput input, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(child);
        return RunChildAsync<TOutput>(child, input, child.Id, token);
    }

    /// <summary>
    /// Runs a piece of outside work inline as a task with the id <paramref name="name"/>, so that nobody needs a class for a line. It runs
    /// outside the job's turns and must not touch this context.
    /// </summary>
    /// <exception cref="ArgumentException">The name is no id: letters, digits, <c>_</c>, <c>-</c>, <c>.</c>.</exception>
    public Task<TOutput> StepAsync<TOutput>(string name, Func<TaskContext, Task<TOutput>> work, TaskPolicy? policy = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(work);
        return RunAsync(AgentTask.Create<Nothing, TOutput>(name, (_, context) => work(context), policy: policy), Nothing.Value);
    }

    /// <summary>Asks a question and waits for its one answer, for days if need be; no lease is held meanwhile.</summary>
    public abstract Task<TReply> AskAsync<TReply>(Question<TReply> question, CancellationToken token = default);

    /// <summary>Waits.</summary>
    public abstract Task DelayAsync(TimeSpan time, CancellationToken token = default);

    /// <summary>A token that fires inside a turn after some time: the timer to use in a body.</summary>
    public abstract CancellationTokenSource CancelAfter(TimeSpan time);

    /// <summary>Work that may still run tasks after the job was cancelled, for at most <paramref name="limit"/>.</summary>
    public abstract Task CleanUpAsync(TimeSpan limit, Func<Task> work);

    internal abstract Task<TOutput> RunTaskAsync<TOutput>(AgentTask task, object? input, string subject, RunSettings settings, CancellationToken token);

    /// <summary>Runs a task without a promise: who asks hears its end at once, inside the turn that delivers it.</summary>
    /// <returns>What stops it.</returns>
    internal abstract IStoppable StartTask(AgentTask task, object? input, string subject, RunSettings settings, ITaskEnd end);

    internal abstract Task<TOutput[]> RunTasksAsync<TInput, TOutput>(AgentTask<TInput, TOutput> task, IReadOnlyList<TInput> inputs, CancellationToken token);

    internal abstract Task<TOutput> RunChildAsync<TOutput>(Agent child, object? input, string subject, CancellationToken token, IWorkTrace? trace = null);

    /// <summary>Passes a signal on to the children under way whose agents take signals of its type: to the one that runs for this subject, or to all of them.</summary>
    /// <returns>To how many.</returns>
    internal abstract int SignalChildren<TChildSignal>(TChildSignal signal, string? subject = null) where TChildSignal : class;

    /// <summary>Tells those who trace the job; null where nobody listens, and in a replay.</summary>
    internal abstract IJobTrace? Trace { get; }

    /// <summary>Stops what is pending, as at the end of a body.</summary>
    internal abstract Task EndRoundAsync();

    /// <summary>The state that a body starts from instead of its input; false where it starts with that.</summary>
    internal abstract bool TryTakeState<TState>(out TState state);

    /// <summary>A round begins with this state: it may be recorded, so that a replay can start there.</summary>
    /// <returns>The state as a replay would see it.</returns>
    internal abstract TState Checkpoint<TState>(TState state);

    /// <summary>Plans the tasks of a graph by what is known of them.</summary>
    internal abstract WorkPlan Plan(IPlannable work);

    /// <summary>Shows the job as paused, or not.</summary>
    internal abstract void ShowPaused(bool paused);
}

/// <summary>The context of an agent with events.</summary>
public abstract class AgentContext<TEvent> : AgentContext
{
    private protected AgentContext()
    {
    }

    /// <summary>Adds an event to the job's stream. No reply, never waits; readers see it when it is durable.</summary>
    public abstract void Emit(TEvent e);
}

/// <summary>The context of an agent with events and signals.</summary>
public abstract class AgentContext<TEvent, TSignal> : AgentContext<TEvent>
{
    private protected AgentContext()
    {
    }

    /// <summary>What was sent to the job.</summary>
    public abstract SignalReader<TSignal> Signals { get; }
}

/// <summary>
/// How runs of a task differ from the task: their policy, rank in line, what they need beside the task's own requirements, what traces call them, their number in the
/// job's plan. One serves many runs.
/// </summary>
internal sealed record RunSettings(TaskPolicy Policy, long Rank = 0, IReadOnlyList<ResourceRequirement>? Requirements = null, IWorkTrace? Trace = null, int PlanTask = -1);

/// <summary>What an agent's erased form needs of the job that runs it.</summary>
internal interface IJobRuntime
{
    AgentContext<TEvent, TSignal> MakeContext<TEvent, TSignal>();
}

/// <summary>Hears how a task has ended, inside a turn.</summary>
internal interface ITaskEnd
{
    void Completed(object? output);

    void Failed(TaskError error);

    void Stopped();
}

/// <summary>Something under way that can be told to stop, inside turns only.</summary>
internal interface IStoppable
{
    void Stop();
}
