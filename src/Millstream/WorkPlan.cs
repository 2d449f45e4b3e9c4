namespace Millstream;

/// <summary>Work of which a plan can be made; the engine knows what it is.</summary>
internal interface IPlannable;

/// <summary>What the engine knows and is told of the tasks of a graph that a job executes. To be used inside the job's turns.</summary>
internal abstract class WorkPlan
{
    /// <summary>Something that the fleet does not see begins: an agent.</summary>
    public abstract void Began(int task);

    /// <summary>A task is behind the job, whatever became of it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="isCompleted">Whether it gave an output.</param>
    public abstract void Passed(int task, bool isCompleted);
}
