using System.Diagnostics;

namespace Millstream;

/// <summary>
/// The same graph, ranks and capacities on the same scheduler, in time that is only counted: what the replay would be if nothing but the tasks took time.
/// </summary>
internal sealed class IdealRun
{
    private readonly Scheduler _scheduler = new(new SchedulerOptions(), 1);
    private readonly SchedulingJob _job = new("j", "t");
    private readonly WorkflowGraph _graph;
    private readonly Trace _trace;
    private readonly long[] _durations;
    private readonly int[] _waits;
    private readonly Dictionary<string, int> _places;
    private readonly PriorityQueue<(GraphNode Node, Grant Grant), (long At, int Order)> _running = new();
    private readonly long[] _began, _ended;
    private readonly int[] _runs;
    private long _now;
    private int _order;
    private int _number;

    private IdealRun(Trace trace, WorkflowGraph graph, long[] durations)
    {
        (_trace, _graph, _durations) = (trace, graph, durations);
        (_began, _ended, _runs) = (new long[durations.Length], new long[durations.Length], new int[durations.Length]);
        _waits = [.. graph.Dependencies.Select(d => d.Length)];
        _places = Enumerable.Range(0, durations.Length).ToDictionary(Replay.IdOf);
        _scheduler.AddWorker("local", "local", [.. TracePrograms.Capacities.Select(c => new ResourceUnit(c.Key, c.Key, c.Value))], 0);
    }

    /// <summary>The schedule with tasks that take exactly so long.</summary>
    public static ReplayRun Run(Trace trace, WorkflowGraph graph, long[] durations) => new IdealRun(trace, graph, durations).Run();

    private long Time => (long)(_now * (double)TimeSpan.TicksPerSecond / Stopwatch.Frequency);

    private ReplayRun Run()
    {
        // The input is node 0; ends of nodes are taken one by one, as turns are.
        End(_graph.Nodes[0], null);
        while (_running.TryDequeue(out (GraphNode Node, Grant Grant) next, out (long At, int Order) key))
        {
            _now = key.At;
            _ended[_places[next.Node.Id!]] = _now;
            End(next.Node, next.Grant);
        }
        return new ReplayRun(_began, _ended, _runs, _now);
    }

    private void End(GraphNode node, Grant? grant)
    {
        _scheduler.BeginBatch();
        if (grant is not null)
            _scheduler.Release(grant, Time);
        Submit(node);
        _scheduler.EndBatch();
        while (_scheduler.TryTake(out Decision decision))
        {
            var granted = (GraphNode)decision.Request.Tag!;
            int place = _places[granted.Id!];
            _runs[place]++;
            _began[place] = _now;
            _running.Enqueue((granted, decision.Grant!), (_now + _durations[place], _order++));
        }
    }

    private void Submit(GraphNode ended)
    {
        foreach (GraphNode next in _graph.Successors[ended.Index])
        {
            if (--_waits[next.Index] > 0)
                continue;
            if (next.IsPure)
                Submit(next);
            else
                _scheduler.Submit(new TaskRequest(_job, ++_number, _scheduler.Intern(next.Task!.Requirements), next.Id!, _graph.Ranking.Ranks[next.Index]) { Tag = next }, Time);
        }
    }
}
