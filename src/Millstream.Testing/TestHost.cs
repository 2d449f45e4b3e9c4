using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// An orchestrator for tests: its clock is virtual, ids and chance have a seed, everything runs one after another, and every job is verified (<see cref="JobOptions.Verify"/>). Disposing it
/// stops what runs and throws a <see cref="ContractException"/> where code does not stop or a lease is not given back.
/// </summary>
public sealed class TestHost : IAsyncDisposable
{
    private readonly TestExecutor _executor;
    private readonly List<LlmResource> _models = [];
    private readonly Engine _engine;
    private Task? _start;
    private int _driving;

    /// <summary>Makes the host.</summary>
    /// <param name="options">How the orchestrator works; its clock, seed and threads are the host's. Null for a worker without resources and jobs in memory.</param>
    /// <param name="model">A model for LLM agents, as a <see cref="ScriptedModel"/>: it becomes an <see cref="LlmResource"/> with the id <c>scripted</c>.</param>
    /// <param name="seed">What ids and the jitter of retries are made of.</param>
    /// <param name="shuffle">Whether the seed also chooses what runs next of what is ready. Without it what is ready first runs first.</param>
    /// <param name="time">The clock; a new one when null.</param>
    public TestHost(OrchestratorOptions? options = null, IChatClient? model = null, int seed = 1, bool shuffle = false, VirtualTime? time = null)
    {
        options ??= new OrchestratorOptions();
        if (model is not null)
            _models.Add(ModelResource(model));
        _executor = new TestExecutor(shuffle ? new Random(seed) : null) { IsQuiet = IsQuiet };
        Time = time ?? new VirtualTime();
        Time.Runs = _executor.Add;
        Orchestrator = new AgentOrchestrator(options with { Time = Time, Seed = seed, Executor = _executor, PoolResources = [.. options.PoolResources, .. _models] });
        _engine = Orchestrator.Engine;
    }

    /// <summary>The clock; it stands still unless the host or the test moves it.</summary>
    public VirtualTime Time { get; }

    /// <summary>The orchestrator. Jobs that are started with it and not with <see cref="StartAsync"/> are verified only where their options say so.</summary>
    public AgentOrchestrator Orchestrator { get; }

    /// <summary>How long, in real time, code may be at work outside the host before waiting for it is given up; 30 s by default.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A model as the resource that LLM agents call.</summary>
    /// <param name="model">Who is asked.</param>
    /// <param name="id">The resource's id; the model is named the same.</param>
    public static LlmResource ModelResource(IChatClient model, string id = "scripted")
    {
        ArgumentNullException.ThrowIfNull(model);
        return new LlmResource(new LlmEndpoint { Id = id, Provider = LlmProvider.OpenAI, Model = id }, model);
    }

    /// <summary>Starts a job, verified. Its agent is registered where it is not yet.</summary>
    public async Task<Job<TOutput, TEvent, TSignal>> StartAsync<TInput, TOutput, TEvent, TSignal>(
        Agent<TInput, TOutput, TEvent, TSignal> agent, TInput input, JobOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        await BeginAsync();
        if (Orchestrator.Agents.Find(agent.Id, agent.Version, _engine.Options.Services) is null)
            Orchestrator.Agents.Add(agent);
        return await _executor.RunAsync(() => Orchestrator.CreateJobAsync(agent, input, (options ?? new JobOptions()) with { Verify = true }));
    }

    /// <summary>Takes up the jobs of the journal, as a process does when it starts. <see cref="StartAsync"/> does it, too.</summary>
    public Task BeginAsync() => _start ??= _executor.RunAsync(async () =>
    {
        await Orchestrator.StartAsync();
        return true;
    });

    /// <summary>Runs an agent to its end, moving the time on whenever all wait.</summary>
    /// <returns>Its output.</returns>
    /// <exception cref="JobFailedException">The job failed.</exception>
    /// <exception cref="ContractException">It waits for what no timer brings; the message says for what.</exception>
    public async Task<TOutput> RunAsync<TInput, TOutput, TEvent, TSignal>(Agent<TInput, TOutput, TEvent, TSignal> agent, TInput input, JobOptions? options = null)
    {
        Job<TOutput, TEvent, TSignal> job = await StartAsync(agent, input, options);
        await UntilEndAsync(job);
        return await job.Completion;
    }

    /// <summary>Moves the time on, whenever all wait, until a job has ended.</summary>
    /// <exception cref="ContractException">It waits for what no timer brings; the message says for what.</exception>
    public async Task<JobEnding> UntilEndAsync(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        while (true)
        {
            await UntilQuietAsync();
            if (job.Status is JobStatus.Completed or JobStatus.Failed or JobStatus.Cancelled or JobStatus.Suspended)
                return await job.Ending;
            if (!await MoveAsync())
                throw new ContractException($"job {job.Id} of agent {job.AgentId} does not end by itself", [.. job.WaitsFor.Select(w => $"it waits for {w}")]);
        }
    }

    /// <summary>Done when nothing is under way: all jobs have ended or wait for what only a timer, a signal or an answer brings. An attempt that waits is under way.</summary>
    /// <exception cref="ContractException">Something is under way for longer than <see cref="Patience"/>; the message says what.</exception>
    public async Task UntilQuietAsync()
    {
        try
        {
            await _executor.WhenQuietAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new ContractException($"something is under way for more than {Patience.TotalSeconds:0.#} s ({nameof(TestHost)}.{nameof(Patience)})", UnderWay());
        }
        if (_executor.Escaped is { } escaped)
            throw new InvalidOperationException($"Code that nobody awaits threw: {escaped.Message}", escaped);
    }

    /// <summary>Moves the time on, timer by timer; before and after each all that follows from it is done.</summary>
    /// <param name="by">How far, zero or more.</param>
    public async Task AdvanceAsync(TimeSpan by)
    {
        DateTimeOffset until = Time.Now + by;
        await UntilQuietAsync();
        while (Time.NextTimer is { } next && next <= until)
        {
            Time.AdvanceToNextTimer();
            await UntilQuietAsync();
        }
        Time.Advance(until - Time.Now);
        await UntilQuietAsync();
    }

    /// <summary>Waits until nothing is under way, moves the time to the next timer, and waits until all that follows from it is done.</summary>
    /// <returns>False where no timer is set.</returns>
    public async Task<bool> AdvanceToNextTimerAsync()
    {
        await UntilQuietAsync();
        bool moved = await MoveAsync();
        await UntilQuietAsync();
        return moved;
    }

    /// <summary>
    /// Calls code for each entry of a job, from the first on, as the world outside does that answers and signals. What it does is under way until its task is done, so the time does not
    /// move meanwhile.
    /// </summary>
    /// <returns>Done when the job's stream has ended; what the code threw comes out here.</returns>
    public Task DriveAsync(Job job, Func<JobEvent, Task> each)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(each);
        return _executor.RunAsync(async () =>
        {
            await foreach (JobEvent e in job.EventsAsync())
            {
                Interlocked.Increment(ref _driving);
                try
                {
                    await each(e);
                }
                finally
                {
                    Interlocked.Decrement(ref _driving);
                }
            }
            return true;
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        List<string> faults = [];
        Task stop = Orchestrator.DisposeAsync().AsTask();
        // What runs was told to stop; its grace period is the clock's, and real work needs real time to stop.
        if (await Task.WhenAny(stop, Task.Delay(Patience)) != stop)
        {
            faults.AddRange(UnderWay());
            while (!stop.IsCompleted && Time.AdvanceToNextTimer())
                await Task.WhenAny(stop, _executor.RunAsync(() => Task.FromResult(true)));
        }
        if (!stop.IsCompleted)
            throw new ContractException("the host cannot stop", faults);
        await stop;
        faults.AddRange(Leased());
        foreach (LlmResource model in _models)
            model.Dispose();
        ContractException.ThrowIfAny("the host has stopped, and", faults);
    }

    /// <summary>What is leased now, one sentence each.</summary>
    internal List<string> Leased() => [.. _engine.Fleet.Snapshot().Leased.Where(l => l.Leased.Count > 0).Select(l => $"job {l.JobId} still leases {string.Join(", ", l.Leased.Select(t => $"{t.Value} {t.Key}"))}")];

    /// <summary>What of the jobs is under way, one sentence each.</summary>
    internal List<string> UnderWay()
    {
        List<string> all = [.. from job in _engine.Jobs.All()
                               from task in job.Tasks()
                               where task.Status is AgentTaskStatus.Running or AgentTaskStatus.Stopping
                               select $"task {task.Id} of job {job.Id} is {task.Status.ToString().ToLowerInvariant()}; if it waits for time, use context.Time and {nameof(VirtualTime)}.{nameof(VirtualTime.UntilTimerAsync)}, then {nameof(VirtualTime)}.{nameof(VirtualTime.Advance)}"];
        all.AddRange(_engine.Jobs.All().Where(j => !j.IsAtRest).Select(j => $"job {j.Id} of agent {j.Agent.Id} is in a turn that does not end"));
        return all.Count > 0 ? all : ["code that the test gave is waited for"];
    }

    /// <summary>Moves to the next timer that means something to jobs: notes wait a moment for company before they are written.</summary>
    internal async Task<bool> MoveAsync()
    {
        while (Time.NextTimer is { } next)
        {
            if (Time.FireNext(next.UtcTicks) is not JournalWriter)
                return true;
            await UntilQuietAsync();
        }
        return false;
    }

    private bool IsQuiet() => Volatile.Read(ref _driving) == 0 && _engine.RunningAttempts == 0 && _engine.Writer?.IsBusy != true && _engine.Jobs.All().TrueForAll(j => j.IsAtRest);
}
