namespace Millstream;

/// <content>Jobs whose tasks go by a plan.</content>
internal sealed partial class Scheduler
{
    private readonly List<SchedulingJob> planned = [];
    private readonly List<JobPlan> withLater = [];
    private int activeJobs;

    /// <summary>What a plan needs of a job: of what it takes, how much there is.</summary>
    /// <param name="ranking">The graph.</param>
    /// <param name="durations">By task how long it takes, in ticks.</param>
    public PlanModel Model(TaskRanking ranking, long[] durations)
    {
        IReadOnlyList<ResourceRequirement>?[] needs = ranking.Needs;
        Dictionary<(string Type, LabelSelector Labels, bool Shared), int> kinds = [];
        List<long> capacities = [Math.Max(1, workers.Sum(w => (long)w.Slots))];
        List<(int Task, int Kind, long Amount)> demands = [];
        for (int task = 0; task < needs.Length; task++)
        {
            if (needs[task] is not { } own)
            {
                continue;
            }

            demands.Add((task, 0, 1));
            foreach (ResourceRequirement need in own)
            {
                if (!kinds.TryGetValue(TaskRanking.Kind(need), out int kind))
                {
                    kinds.Add(TaskRanking.Kind(need), kind = capacities.Count);
                    IEnumerable<ResourceUnit> suiting = units.Values.Where(u => u.Type == need.Type && need.Labels.Matches(u.Labels));
                    capacities.Add(Math.Max(1, need.Shared ? suiting.Sum(u => u.Capacity) : suiting.Count()));
                }

                demands.Add((task, kind, need.Amount));
            }
        }

        long[][] table = [.. needs.Select(_ => new long[capacities.Count])];
        foreach ((int task, int kind, long amount) in demands)
        {
            table[task][kind] += amount;
        }

        return new PlanModel(ranking.Network, durations, table, [.. capacities], ranking.RanksFor(durations));
    }

    /// <summary>Lets a job's requests go by a plan from now on.</summary>
    public void Plan(SchedulingJob job, JobPlan plan)
    {
        plan.Generation = fleetGeneration;
        job.Plan = plan;
    }

    /// <summary>A task that is none of the fleet's, or of which nothing more comes, is behind the job.</summary>
    public void Pass(SchedulingJob job, int task)
    {
        job.Plan!.Passed(task);
        Touch(job);
        if (job.Plan.HasOrder)
        {
            Dispatch();
        }
    }

    /// <summary>Goes by what a look-ahead found for a job.</summary>
    public void Replan(SchedulingJob job, long[] order, long now)
    {
        Advance(now);
        job.Plan!.Follow(order);
        Touch(job);
        Dispatch();
    }

    private static JobPlan? PlanOf(TaskRequest request) => request.PlanTask < 0 ? null : request.Job.Plan;

    private void Watch(SchedulingJob job)
    {
        bool isActive = job.Waiting > 0 || job.Fair!.Grants > 0;
        if (isActive != job.IsActive)
        {
            job.IsActive = isActive;
            activeJobs += isActive ? 1 : -1;
        }
    }

    private void Touch(SchedulingJob job)
    {
        if (job is { Plan: not null, IsTouched: false })
        {
            job.IsTouched = true;
            planned.Add(job);
        }
    }

    private void ServePlans()
    {
        foreach (SchedulingJob job in planned)
        {
            job.IsTouched = false;
            Serve(job.Plan!);
        }

        planned.Clear();
    }

    private void Serve(JobPlan plan)
    {
        if (!plan.IsStale || !plan.HasOrder)
        {
            return;
        }

        plan.IsStale = false;
        bool tells = MayWait(plan) && plan.Decide(time);
        foreach (TaskRequest request in plan.Waiting)
        {
            bool isLater = tells && plan.IsLater(request.PlanTask);
            long rank = plan.RankOf(request.PlanTask);
            if (request.State == RequestState.Waiting && (isLater || request.Rank != rank))
            {
                DequeueKeepingPark(request);
                request.State = RequestState.Later;
                if (isLater)
                {
                    EndHold(request);
                }
            }

            request.Rank = rank;
            if (request.State == RequestState.Later && !isLater)
            {
                Line(request);
            }
            else if (isLater && !withLater.Contains(plan))
            {
                withLater.Add(plan);
            }
        }
    }

    // Another job would take what this one leaves for later, and what is new in the fleet is not in the plan.
    private bool MayWait(JobPlan plan) =>
#if MILLSTREAM_PLANTED_BUGS
        PlantedBugs.Is(Bug.PlanIgnoresOthers) ? plan.Generation == fleetGeneration :
#endif
        activeJobs < 2 && plan.Generation == fleetGeneration;

    /// <summary>Nobody waits for a better moment where nothing runs whose end could be it, or where the plan does not hold any more.</summary>
    /// <returns>Whether somebody is in line again.</returns>
    private bool LineStuck()
    {
        bool any = false;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.PlanLetsWaitForEver)) return false;
#endif
        for (int i = withLater.Count - 1; i >= 0; i--)
        {
            JobPlan plan = withLater[i];
            List<TaskRequest> later = plan.Waiting.FindAll(r => r.State == RequestState.Later);
            if (later.Count > 0 && plan.Running > 0 && MayWait(plan))
            {
                continue;
            }

            withLater.RemoveAt(i);
            later.ForEach(Line);
            any |= later.Count > 0;
        }

        return any;
    }

    /// <summary>A job has come, and nothing is dispatched for it: who waits for a better moment is in line again, since it may be another job.</summary>
    private void LineLater()
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.PlanMissesRetries)) return;
#endif
        if (withLater.Count > 0)
        {
            Dispatch();
        }
    }

    private void Line(TaskRequest request)
    {
        Enqueue(request);
        TenantNode node = request.Node!.Tenant;
        if (!node.IsOverQuota && !node.Tenant.Allows(request.Shape, out _))
        {
            SetOverQuota(node);
        }

        if (request.Shape.HasHead && !request.Shape.IsParked)
        {
            Freshen(request.Shape);
        }
    }
}
