namespace Millstream;

/// <content>Plans of jobs: made and thought over outside of the lock, followed inside.</content>
internal sealed partial class Fleet
{
    /// <summary>What a plan needs of a job; arguments as those of <see cref="Scheduler.Model"/>.</summary>
    public PlanModel Model(TaskRanking ranking, long[] durations)
    {
        lock (_gate)
            return _scheduler.Model(ranking, durations);
    }

    public void Plan(SchedulingJob job, JobPlan plan)
    {
        lock (_gate)
            _scheduler.Plan(job, plan);
    }

    public void Began(SchedulingJob job, int task)
    {
        lock (_gate)
            job.Plan!.Began(task, Now);
    }

    public void Pass(SchedulingJob job, int task)
    {
        lock (_gate)
            _scheduler.Pass(job, task);
    }

    /// <summary>Whether more than one task of a job could go next.</summary>
    public bool HasChoice(JobPlan plan)
    {
        lock (_gate)
            return plan.Waiting.Count > 0;
    }

    public void CopyState(JobPlan plan, PlanState state)
    {
        lock (_gate)
            plan.StateAt(Now).CopyTo(state);
    }

    public void Replan(SchedulingJob job, long[] order) => Do((scheduler, now) => scheduler.Replan(job, order, now));
}
