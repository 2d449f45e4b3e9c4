namespace Millstream.Simulation;

/// <summary>What must hold of jobs that go by plans, at any moment at which nothing is left to do.</summary>
internal sealed class PlanAudit(History history)
{
    private readonly HashSet<TaskRequest> _later = [];
    private readonly HashSet<JobPlan> _plans = [];

    /// <summary>How many jobs have gone by a plan.</summary>
    public int Plans => _plans.Count;

    /// <summary>How many tasks were seen that their job's plan kept waiting.</summary>
    public int Later => _later.Count;

    /// <summary>Checks the jobs of one process.</summary>
    public void Check(Engine engine)
    {
        SchedulingJob[] jobs = [.. engine.Jobs.All().Select(r => r.Scheduling)];
        foreach (SchedulingJob job in jobs.Where(j => j.Plan is not null))
            Check(job, jobs);
    }

    private void Check(SchedulingJob job, SchedulingJob[] jobs)
    {
        JobPlan plan = job.Plan!;
        _plans.Add(plan);
        if (plan.Waiting.Find(r => r.State is not (RequestState.Waiting or RequestState.Later)) is { } gone)
            Fail(job, $"by its plan {gone.TaskId} waits, and it is {gone.State}");
        if (plan.Running != (job.Fair?.Grants ?? 0))
            Fail(job, $"by its plan {plan.Running} tasks run, and it has {job.Fair?.Grants ?? 0} leases");
        List<TaskRequest> later = plan.Waiting.FindAll(r => r.State == RequestState.Later);
        if (later.Count == 0)
            return;
        _later.UnionWith(later);
        if (plan.Running == 0)
            Fail(job, $"its plan lets {later[0].TaskId} wait, and nothing of it runs");
        if (Array.Find(jobs, j => j != job && (j.Waiting > 0 || j.Fair?.Grants > 0)) is { } other)
            Fail(job, $"its plan lets {later[0].TaskId} wait, and {other.Id} is there, too");
        if (later.Find(r => r.Hold is not null) is { } holder)
            Fail(job, $"its plan lets {holder.TaskId} wait, and something is held for it");
    }

    private void Fail(SchedulingJob job, string what) => history.Fail($"{job.Id}: {what}", history.Ledger.Find(JobId.Parse(job.Id)));
}
