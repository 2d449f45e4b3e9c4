namespace Millstream;

/// <summary>A task whose end is heard by what asked for it, with no promise in between.</summary>
internal sealed class HeardTask(ITaskEnd end, AgentTask task, object? input, string subject, RunSettings settings) : TaskCommand(task, input, subject, settings), IStoppable
{
    void IStoppable.Stop() => Runner.StopCommand(this);

    protected override void SettleResult(object? output) => end.Completed(output);

    protected override void SettleError(TaskFailedException error) => end.Failed(error.Error);

    protected override void SettleCancelled(CancellationToken token) => end.Stopped();
}
