using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>The context of one job's body: every member checks the turn, then makes a command or answers inside it.</summary>
internal sealed class JobContext<TEvent, TSignal>(JobRunner runner) : AgentContext<TEvent, TSignal>, ISignalSink
{
    private static readonly string s_emit = $"Emit({typeof(TEvent).Name})";

    private SignalQueue? _signals;
    private Random? _random;
    private BodyLogger? _logger;
    private string _seed = runner.Seed;
    private int _ids;
    private int _questions;

    public override JobId JobId => runner.Id;

    internal override IJobTrace? Trace => runner.IsReplaying ? null : runner.Span;

    public override DateTimeOffset Now
    {
        get
        {
            runner.Enter("context.Now", isCommand: false);
            return new DateTimeOffset(runner.Now, TimeSpan.Zero);
        }
    }

    public override Random Random
    {
        get
        {
            runner.Enter("context.Random", isCommand: false);
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.RandomSeededAnew)) return _random ??= new Random((int)runner.Engine.RunnerEpoch);
#endif
            return _random ??= new Random(StableHash.Of(_seed));
        }
    }

    public override CancellationToken Cancelled => runner.CancelledToken;

    public override ILogger Logger => _logger ??= new BodyLogger(runner, runner.Engine.AgentLogger);

    public override SignalReader<TSignal> Signals => Queue;

    public bool IsWaiting => _signals?.IsWaiting == true;

    private SignalQueue Queue => _signals ??= new SignalQueue(runner);

    public override Guid NewId()
    {
        runner.Enter("context.NewId", isCommand: false);
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.IdSeededAnew) && _ids == 0) _ids = (int)runner.Engine.RunnerEpoch;
#endif
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{runner.Seed}#{++_ids}"), hash);
        // Version 8: made by a rule of one's own (RFC 9562).
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    public override void Emit(TEvent e)
    {
        runner.Enter(s_emit);
        runner.CheckRoom(1);
        runner.Check(runner.Agent.Contract.Event, e);
        runner.Add(new JournalEntry(EntryKind.Event, runner.Now) { Payload = e, PayloadType = runner.Agent.Contract.Event });
    }

    public override Task FlushAsync()
    {
        runner.Enter("FlushAsync");
        FlushCommand command = new();
        runner.Issue(command, default);
        return command.Task;
    }

    public override Task<TReply> AskAsync<TReply>(Question<TReply> question, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(question);
        runner.Enter($"AskAsync({question.GetType().Name})");
        if (token.IsCancellationRequested)
            return Task.FromCanceled<TReply>(token);
        runner.Check(PayloadType.OfRuntime, question);
        AskCommand<TReply> command = new($"q{++_questions}", question);
        runner.Issue(command, token);
        return command.Task;
    }

    public override Task DelayAsync(TimeSpan time, CancellationToken token = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        runner.Enter("DelayAsync");
        if (token.IsCancellationRequested)
            return Task.FromCanceled(token);
        TimerCommand command = new(time, null);
        runner.Issue(command, token);
        return command.Task;
    }

    public override CancellationTokenSource CancelAfter(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        runner.Enter("CancelAfter");
        CancellationTokenSource source = new();
        runner.Issue(new TimerCommand(time, source), default);
        return source;
    }

    public override Task CleanUpAsync(TimeSpan limit, Func<Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        runner.Enter("CleanUpAsync", isCommand: false);
        return runner.CleanUpAsync(limit, work, CancelAfter);
    }

    public void Add(object? signal) => Queue.Add((TSignal)signal!);

    public void Cancel(CancellationToken token) => _signals?.Cancel(token);

    internal override Task<TOutput> RunTaskAsync<TOutput>(AgentTask task, object? input, string subject, RunSettings settings, CancellationToken token)
    {
        runner.Enter(subject);
        if (token.IsCancellationRequested)
            return Task.FromCanceled<TOutput>(token);
        TaskCommand<TOutput> command = new(task, input, subject, settings);
        Issue(command, task, input, settings, token);
        return command.Promise;
    }

    internal override IStoppable StartTask(AgentTask task, object? input, string subject, RunSettings settings, ITaskEnd end)
    {
        runner.Enter(subject);
        HeardTask command = new(end, task, input, subject, settings);
        Issue(command, task, input, settings, default);
        return command;
    }

    internal override Task<TOutput[]> RunTasksAsync<TInput, TOutput>(AgentTask<TInput, TOutput> task, IReadOnlyList<TInput> inputs, CancellationToken token)
    {
        runner.Enter(task.Id);
        if (token.IsCancellationRequested)
            return Task.FromCanceled<TOutput[]>(token);
        if (inputs.Count == 0)
            return Task.FromResult(Array.Empty<TOutput>());
        runner.MakeRoom(inputs.Count);
        ResourceRequirement.CheckGang(task.Id, task.Requirements, null);
        Batch<TOutput> batch = new(inputs.Count);
        string id = task.Id;
        RunSettings settings = task.DefaultSettings;
        for (int i = 0; i < inputs.Count; i++)
        {
            _ = runner.Copy(task.InputType, inputs[i]);
            BatchTask<TOutput> command = new(batch, i, task, inputs[i], $"{id}[{i}]", settings);
            batch.Add(i, command);
            runner.Issue(command, token);
        }
        return batch.Promise;
    }

    internal override Task<TOutput> RunChildAsync<TOutput>(Agent child, object? input, string subject, CancellationToken token, IWorkTrace? trace = null)
    {
        runner.Enter($"agent {child.Id}");
        _ = child.Contract;
        if (token.IsCancellationRequested)
            return Task.FromCanceled<TOutput>(token);
        // What can be written and not read back is told here, where the body can hear it.
        _ = runner.Copy(child.Contract.Input, input);
        ChildCommand<TOutput> command = new(child, input, subject, trace);
        runner.Issue(command, token);
        return command.Task;
    }

    internal override int SignalChildren<TChildSignal>(TChildSignal signal, string? subject = null)
    {
        runner.Enter("a signal to a child");
        int count = 0;
        foreach (ChildCommand child in runner.Pending<ChildCommand>())
        {
            if (child.IsStopping || !child.Takes(typeof(TChildSignal)) || (subject is not null && subject != child.Subject))
                continue;
            runner.SignalChild(child, signal);
            count++;
        }
        return count;
    }

    internal override Task EndRoundAsync()
    {
        runner.Enter("the end of a round");
        return runner.EndRoundAsync();
    }

    internal override bool TryTakeState<TState>(out TState state)
    {
        if (runner.From is { } from)
        {
            (_ids, _questions) = (from.Context.Ids, from.Context.Questions);
            foreach (ReadOnlyMemory<byte> signal in from.Context.Signals)
                Add(runner.Agent.Contract.Signal.Read(signal.Span));
            Reseed();
        }
        return runner.TryTakeState(StateType<TState>(), out state);
    }

    internal override TState Checkpoint<TState>(TState state)
    {
        if (!runner.IsCheckpointDue())
            return state;
        PayloadType signals = runner.Agent.Contract.Signal;
        ContextState kept = new(_ids, _questions, [.. (_signals?.Unread ?? []).Select(s => (ReadOnlyMemory<byte>)signals.ToBytes(s))]);
        object? read = runner.Checkpoint(state, StateType<TState>(), kept);
        Reseed();
        return (TState)read!;
    }

    private void Issue(TaskCommand command, AgentTask task, object? input, RunSettings settings, CancellationToken token)
    {
        ResourceRequirement.CheckGang(command.Subject, task.Requirements, settings.Requirements);
        _ = runner.Copy(task.InputType, input);
        runner.Issue(command, token);
    }

    // How many numbers were drawn is not recorded, so each state begins a new row.
    private void Reseed() => (_seed, _random) = ($"{runner.Seed}@{runner.Commands}", null);

    private PayloadType StateType<TState>() => runner.Agent.Contract.State ?? PayloadType.Of<TState>();

    internal override WorkPlan Plan(IPlannable work)
    {
        runner.Enter("a plan", isCommand: false);
        return runner.Planner = new JobPlanner(runner, (WorkflowGraph)work);
    }

    internal override void ShowPaused(bool paused) => runner.IsPaused = paused;

    /// <summary>The signals that were delivered and not taken.</summary>
    private sealed class SignalQueue(JobRunner runner) : SignalReader<TSignal>
    {
        private readonly Queue<TSignal> _waiting = new();
        private TaskCompletionSource? _arrived;
        private CancellationToken _cancelled;

        public IEnumerable<TSignal> Unread => _waiting;

        public bool IsWaiting => _arrived is { Task.IsCompleted: false };

        public override bool TryRead([MaybeNullWhen(false)] out TSignal signal)
        {
            runner.Enter("Signals.TryRead", isCommand: false);
            return _waiting.TryDequeue(out signal);
        }

        public override Task WaitToReadAsync()
        {
            // Thrown and not given as a task: a loop over WhenAny(work, this) would spin in its turn for ever once the job is cancelled.
#if MILLSTREAM_PLANTED_BUGS
            if (!PlantedBugs.Is(Bug.SpinAfterCancel))
#endif
            runner.Enter("Signals.WaitToReadAsync");
            if (_waiting.Count > 0)
                return Task.CompletedTask;
            if (_cancelled.IsCancellationRequested)
                return Task.FromCanceled(_cancelled);
            if (_arrived is not { Task.IsCompleted: false })
                _arrived = new TaskCompletionSource();
            return _arrived.Task;
        }

        public void Add(TSignal signal)
        {
            _waiting.Enqueue(signal);
            _arrived?.TrySetResult();
        }

        public void Cancel(CancellationToken token)
        {
            _cancelled = token;
            _arrived?.TrySetCanceled(token);
        }
    }
}
