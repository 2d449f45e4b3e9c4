namespace Millstream;

/// <summary>When each task of a trace began and ended in one run, in ticks from the creation of the job.</summary>
internal sealed record ReplayRun(long[] Began, long[] Ended, int[] Runs, long Makespan);

/// <summary>A trace as a workflow: real tasks under leases in the real runtime, each of which takes its time.</summary>
internal sealed class Replay
{
    private readonly Trace _trace;
    private readonly Clock _clock;
    private readonly long[] _durations;
    private readonly long[] _began, _ended;
    private readonly int[] _runs;

    public Replay(Trace trace, long[] durations, Clock clock)
    {
        (_trace, _durations, _clock) = (trace, durations, clock);
        _began = new long[durations.Length];
        _ended = new long[durations.Length];
        _runs = new int[durations.Length];
        Workflow = Millstream.Workflow.Define<int, int>("trace", "1", Build);
    }

    public Workflow<int, int> Workflow { get; }

    /// <summary>How a workflow calls the task at a place of its trace; ids of traces have characters that ids of tasks may not have.</summary>
    public static string IdOf(int place) => $"t{place}";

    public static Worker Worker() => new("local", [.. TracePrograms.Capacities.Select(c => new PlainResource(c.Key, c.Key, c.Value))]);

    public async Task<ReplayRun> RunAsync()
    {
        Array.Clear(_runs);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Workers = [Worker()] });
        long start = Clock.Now;
        var job = await orchestrator.CreateJobAsync(Workflow.Agent, 0);
        await job.Completion;
        long end = Clock.Now;
        return new ReplayRun([.. _began.Select(t => t - start)], [.. _ended.Select(t => t - start)], [.. _runs], end - start);
    }

    private Node<int> Build(WorkflowBuilder<int> workflow)
    {
        Node<int>[] nodes = new Node<int>[_durations.Length];
        bool[] isParent = new bool[nodes.Length];
        for (int i = 0; i < nodes.Length; i++)
        {
            int place = i;
            AgentTask<int, int> task = AgentTask.Create<int, int>(IdOf(i), (input, _) => WaitAsync(place, input), [ResourceRequirement.Units(_trace.Tasks[i].Type, 1)]);
            nodes[i] = workflow.Task(IdOf(i), task, workflow.Input);
            foreach (int parent in _trace.Tasks[i].Parents)
            {
                nodes[i].After(nodes[parent]);
                isParent[parent] = true;
            }
        }
        return workflow.All([.. nodes.Where((_, i) => !isParent[i])]).Select(all => all.Length);
    }

    private async Task<int> WaitAsync(int place, int input)
    {
        Interlocked.Increment(ref _runs[place]);
        long began = _began[place] = Clock.Now;
        await _clock.UntilAsync(began + _durations[place]);
        _ended[place] = Clock.Now;
        return input;
    }
}
