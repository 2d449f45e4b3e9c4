namespace Millstream.Simulation;

/// <summary>What a step of a random body does.</summary>
internal enum Step
{
    Sequence, Run, RunAll, Branches, Semaphore, Race, SignalLoop, NextSignal, Ask, AskWithLimit, Child, Emit, Delay, Catch, StopByToken, CleanUp,
    CancelAfter, Flush, Throw, Leave, Workflow,
}

/// <summary>One step with its numbers (a task, a count, a time) and its parts.</summary>
internal sealed record PlanNode(Step Step, int Task = 0, int Count = 0, params PlanNode[] Parts);

/// <summary>What one job's body does: one node, or one a round of a loop agent.</summary>
internal sealed record Plan(PlanNode[] Rounds, bool IsLoop)
{
    public bool HasCleanUp { get; } = Rounds.Any(Uses);

    private static bool Uses(PlanNode node) => node.Step == Step.CleanUp || node.Parts.Any(Uses);
}

/// <summary>Makes bodies of a seed.</summary>
internal sealed class PlanMaker(Random random, List<Plan> plans, int tasks, int workflows)
{
    private int _budget;

    /// <summary>A plan's number in the list of plans.</summary>
    public int Make(int depth = 0)
    {
        bool isLoop = random.Next(5) == 0;
        _budget = depth == 0 ? 3 + random.Next(12) : 2 + random.Next(4);
        if (depth == 0 && workflows > 0)
            return MakeAround(new PlanNode(Step.Workflow, random.Next(workflows), MakeEmpty()));
        PlanNode[] rounds = [.. Enumerable.Range(0, isLoop ? 1 + random.Next(3) : 1).Select(_ => Sequence(depth, depth * 2))];
        plans.Add(new Plan(rounds, isLoop));
        return plans.Count - 1;
    }

    /// <summary>The number of a plan without steps: that of a job whose body is none of ours.</summary>
    public int MakeEmpty()
    {
        plans.Add(new Plan([], false));
        return plans.Count - 1;
    }

    private int MakeAround(PlanNode node)
    {
        _budget /= 3;
        PlanNode body = new(Step.Sequence, Parts: [node, Sequence(0, 2)]);
        plans.Add(new Plan([random.Next(3) == 0 ? new PlanNode(Step.CleanUp, random.Next(tasks), 20 + random.Next(400), body) : body], false));
        return plans.Count - 1;
    }

    private PlanNode Sequence(int jobDepth, int depth) => new(Step.Sequence, Parts: [.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Node(jobDepth, depth + 1))]);

    private PlanNode Node(int jobDepth, int depth)
    {
        int task = random.Next(tasks);
        if (--_budget < 0 || depth > 4)
            return new PlanNode(random.Next(3) == 0 ? Step.Emit : Step.Run, task);
        switch (random.Next(24))
        {
            case 0: return new PlanNode(Step.RunAll, task, random.Next(6));
            case 1 or 2: return new PlanNode(Step.Branches, Parts: Parts(jobDepth, depth, 2 + random.Next(3)));
            case 3: return new PlanNode(Step.Semaphore, task, 2 + random.Next(4));
            case 4: return new PlanNode(Step.Race, task, random.Next(60));
            case 5 or 6: return new PlanNode(Step.SignalLoop, task, 1 + random.Next(3));
            case 7: return new PlanNode(Step.NextSignal);
            case 8: return new PlanNode(Step.Ask);
            case 9: return new PlanNode(Step.AskWithLimit, Count: random.Next(100));
            case 10 when jobDepth < 2:
                int left = _budget;
                int child = Make(jobDepth + 1);
                _budget = left;
                return new PlanNode(Step.Child, Count: child, Task: random.Next(3));
            case 11: return new PlanNode(Step.Emit);
            case 12: return new PlanNode(Step.Delay, Count: random.Next(50));
            case 13 or 14: return new PlanNode(Step.Catch, Parts: [Sequence(jobDepth, depth)]);
            case 15: return new PlanNode(Step.StopByToken, task, random.Next(3));
            case 16: return new PlanNode(Step.CleanUp, task, 20 + random.Next(400), Sequence(jobDepth, depth));
            case 17: return new PlanNode(Step.CancelAfter, task, random.Next(60));
            case 18: return new PlanNode(Step.Flush);
            case 19 when random.Next(3) == 0: return new PlanNode(Step.Throw);
            case 20: return new PlanNode(Step.Leave, task);
            default: return new PlanNode(Step.Run, task);
        }
    }

    private PlanNode[] Parts(int jobDepth, int depth, int count) => [.. Enumerable.Range(0, count).Select(_ => Sequence(jobDepth, depth))];
}
