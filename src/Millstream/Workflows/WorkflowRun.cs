namespace Millstream;

/// <summary>One execution of a graph, inside the turns of its agent's job. No supersteps: each node starts the moment what it needs is done.</summary>
internal sealed partial class WorkflowRun
{
    private readonly WorkflowGraph _graph;
    private readonly AgentContext<WorkflowEvent, WorkflowSignal> _context;
    private readonly WorkPlan _plan;
    private readonly NodeRun[] _runs;
    private readonly NodeEnd[] _ends;
    private readonly NodeValues _values;
    private readonly Queue<NodeRun> _ready = new();
    private readonly TaskCompletionSource _settled = new();
    private TaskCompletionSource? _resumed;
    private TaskError? _failure;
    private bool _isPaused;
    private bool _isFilling;
    private int _underWay;
    private int _open;
    private int _done;

    public WorkflowRun(WorkflowGraph graph, AgentContext<WorkflowEvent, WorkflowSignal> context, object? input)
    {
        _graph = graph;
        _context = context;
        _plan = context.Plan(graph);
        _ends = new NodeEnd[graph.Nodes.Count];
        _values = new NodeValues(_ends);
        _runs = [.. graph.Nodes.Select(n => new NodeRun(this, n, graph.Dependencies[n.Index].Length))];
        _open = _runs.Length - 1;
        _ends[0] = NodeEnd.Completed(input);
        _runs[0].State = NodeState.Done;
        _plan.Passed(0, isCompleted: true);
        foreach (NodeRun run in _runs.Skip(1).Where(r => r.Waits == 0))
            _ready.Enqueue(run);
    }

    /// <summary>Runs it to its end and gives its output; throws what failed it.</summary>
    public async Task<object?> RunAsync()
    {
        Satisfy(_runs[0]);
        Fill();
        while (!IsOver)
        {
            await Task.WhenAny(_settled.Task, _context.Signals.WaitToReadAsync());
            _context.Cancelled.ThrowIfCancellationRequested();
            while (_context.Signals.TryRead(out WorkflowSignal? signal))
                Handle(signal);
            Fill();
        }
        if (_failure is not null)
            throw new TaskFailedException(_failure);
        NodeEnd output = _ends[_graph.Output.Index];
        return output.Status != WorkflowTaskStatus.Skipped || _graph.Output.PassesWhenSkipped
            ? output.Output
            : throw new TaskFailedException(new TaskError(_graph.Output.Id ?? "", 0, "NoOutput", $"workflow {_graph.Id} has no output, since what it comes from was skipped", false));
    }

    private bool IsOver => _underWay == 0 && (_open == 0 || (_failure is not null && (_graph.Options.OnFailure == FailureMode.Cancel || _ready.Count == 0)));

    /// <summary>Starts what is ready.</summary>
    private void Fill()
    {
        // Ends of nodes come back here; the outermost call goes on with what they made ready.
        if (_isFilling)
            return;
        _isFilling = true;
        while (!_isPaused && (_failure is null || _graph.Options.OnFailure != FailureMode.Cancel) && _ready.TryDequeue(out NodeRun? run))
        {
            if (run.State == NodeState.Pending)
                Start(run);
        }
        _isFilling = false;
        if (IsOver)
            _settled.TrySetResult();
    }

    private void Start(NodeRun run)
    {
        GraphNode node = run.Node;
        try
        {
            if (node.Condition?.Invoke(_values) == false)
            {
                End(run, NodeEnd.Skipped);
                return;
            }
            object? input = node.Input(_values);
            if (node.IsPure)
            {
                End(run, NodeEnd.Completed(input));
                return;
            }
            run.State = NodeState.Running;
            _underWay++;
            if (node.ItemInput is not null)
                new FanOutRun(this, run, (IReadOnlyList<object?>)input!).Fill();
            else if (node.Task is not null)
                run.Command = StartTask(node, input, run);
            else
                _ = RunNodeAsync(run, input);
        }
        catch (Exception e) when (IsFault(e))
        {
            if (run.State == NodeState.Running)
                _underWay--;
            End(run, NodeEnd.FailedUntold(node.Id ?? "", e));
        }
    }

    /// <summary>Runs a task of a node, whose end is heard without anything being awaited.</summary>
    /// <returns>What stops it; null where it could not be started, which was said.</returns>
    private IStoppable? StartTask(GraphNode node, object? input, INodeEnd end)
    {
        try
        {
            return _context.StartTask(node.Task!, input, end.Subject, _graph.SettingsOf(node), end);
        }
        catch (OperationCanceledException)
        {
            end.Stopped();
        }
        catch (Exception e) when (e is not OutsideTurnException)
        {
            end.Ended(NodeEnd.FailedUntold(end.Subject, e));
        }
        return null;
    }

    /// <summary>The task of a node has ended.</summary>
    public void Ended(NodeRun run, NodeEnd end)
    {
        run.Command = null;
        try
        {
            Finish(run, end);
        }
        catch (OperationCanceledException e) when (IsOfItsJob(e))
        {
            // The job is cancelled, and nothing that follows from this end is recorded.
        }
    }

    private async Task RunNodeAsync(NodeRun run, object? input) => Finish(run, await RunChildAsync(run, run.Subject, input));

    /// <summary>A node that was under way has ended.</summary>
    public void Finish(NodeRun run, NodeEnd end)
    {
        _underWay--;
        End(run, run.IsSkipped ? NodeEnd.Skipped : end);
        Fill();
    }

    /// <summary>Records how a node ended and looks at who waits for it.</summary>
    private void End(NodeRun run, NodeEnd end)
    {
        GraphNode node = run.Node;
        bool isFatal = end.Status == WorkflowTaskStatus.Failed && (!node.ContinuesOnError || run.HasNoResults);
        if (isFatal && _graph.Options.OnFailure == FailureMode.Wait && !node.IsPure)
        {
            run.State = NodeState.Failed;
            run.Error = end.Error;
            _context.Emit(new WorkflowEvent.DecisionNeeded(node.Id!, end.Error!.Message));
            return;
        }
        run.State = NodeState.Done;
        _plan.Passed(node.Index, end.Status == WorkflowTaskStatus.Completed);
        _open--;
        _ends[node.Index] = end with { Output = run.Results ?? (end.Status == WorkflowTaskStatus.Failed && isFatal ? null : node.Result(end)) };
        if (!node.IsPure)
            _context.Emit(new WorkflowEvent.TaskEnded(node.Id!, end.Status, ++_done, _graph.TaskCount, end.Untold));
        if (isFatal)
            Fail(end.Error!);
        bool passes = !isFatal && (end.Status != WorkflowTaskStatus.Skipped || node.PassesWhenSkipped);
        if (passes)
            Satisfy(run);
        else
            SkipDependants(run);
    }

    private void Satisfy(NodeRun run)
    {
        foreach (GraphNode next in _graph.Successors[run.Node.Index])
        {
            NodeRun waiting = _runs[next.Index];
            if (--waiting.Waits == 0 && waiting.State == NodeState.Pending)
                _ready.Enqueue(waiting);
        }
    }

    // They have nothing to run with.
    private void SkipDependants(NodeRun run)
    {
        Stack<NodeRun> left = new([run]);
        while (left.TryPop(out NodeRun? from))
        {
            foreach (GraphNode next in _graph.Successors[from.Node.Index])
            {
                NodeRun waiting = _runs[next.Index];
                if (waiting.State != NodeState.Pending)
                    continue;
                waiting.State = NodeState.Done;
                _plan.Passed(next.Index, false);
                _open--;
                _ends[next.Index] = NodeEnd.Skipped;
                if (!next.IsPure)
                    _context.Emit(new WorkflowEvent.TaskEnded(next.Id!, WorkflowTaskStatus.Skipped, ++_done, _graph.TaskCount));
                left.Push(waiting);
            }
        }
    }

    private void Fail(TaskError error)
    {
        if (_failure is not null)
            return;
        _failure = error;
        if (_graph.Options.OnFailure != FailureMode.Cancel)
            return;
        foreach (NodeRun run in _runs)
        {
            if (run.State == NodeState.Running)
                run.StopNow();
        }
    }
}

internal enum NodeState : byte { Pending, Running, Failed, Done }

/// <summary>Who hears how the task of a node, or one of a fan-out, has ended.</summary>
internal interface INodeEnd : ITaskEnd
{
    /// <summary>What streams call the task.</summary>
    string Subject { get; }

    void Ended(NodeEnd end);

    void ITaskEnd.Completed(object? output) => Ended(NodeEnd.Completed(output));

    void ITaskEnd.Failed(TaskError error) => Ended(NodeEnd.Failed(error));

    void ITaskEnd.Stopped() => Ended(NodeEnd.Stopped(Subject));
}

/// <summary>One node of one execution.</summary>
internal sealed class NodeRun(WorkflowRun workflow, GraphNode node, int waits) : INodeEnd
{
    private CancellationTokenSource? _stop;

    public GraphNode Node => node;

    public string Subject => node.Id!;

    public NodeState State { get; set; }

    /// <summary>How many of its dependencies are not done.</summary>
    public int Waits { get; set; } = waits;

    public bool IsSkipped { get; set; }

    public TaskError? Error { get; set; }

    /// <summary>Of a fan-out how its runs ended so far.</summary>
    public NodeEnd[]? Items { get; set; }

    /// <summary>Of a fan-out which runs have given their output.</summary>
    public bool[]? HasOutput { get; set; }

    /// <summary>Of a fan-out what dependants see.</summary>
    public object? Results { get; set; }

    /// <summary>Of a fan-out whether that could not be made, which fails the node for good.</summary>
    public bool HasNoResults { get; set; }

    /// <summary>Of a task the one that is under way.</summary>
    public IStoppable? Command { get; set; }

    /// <summary>Of a fan-out or a child what stops it.</summary>
    public CancellationTokenSource Stop => _stop ??= new CancellationTokenSource();

    /// <summary>Done when a fan-out or a child is told to stop.</summary>
    public Task ToldToStop
    {
        get
        {
            TaskCompletionSource stopped = new();
            Stop.Token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), stopped);
            return stopped.Task;
        }
    }

    /// <summary>Tells it to stop. Inside turns only.</summary>
    public void StopNow()
    {
        if (Command is not null)
            Command.Stop();
        else
            Stop.Cancel();
    }

    public void Ended(NodeEnd end) => workflow.Ended(this, end);

    /// <summary>Makes it ready to run again.</summary>
    public void Reset()
    {
        State = NodeState.Pending;
        Error = null;
        _stop = null;
    }
}
