namespace Millstream;

/// <content>Pause, resume, retry, skip, cancel.</content>
internal sealed partial class WorkflowRun
{
    private void Handle(WorkflowSignal? signal)
    {
        switch (signal)
        {
            case WorkflowSignal.Pause or WorkflowSignal.Resume when _isPaused == signal is WorkflowSignal.Pause:
                Ignore(signal, _isPaused ? "the workflow is paused already" : "the workflow is not paused");
                break;
            case WorkflowSignal.Pause:
                SetPaused(true, new WorkflowEvent.Paused(), signal);
                break;
            case WorkflowSignal.Resume:
                SetPaused(false, new WorkflowEvent.Resumed(), signal);
                break;
            case WorkflowSignal.RetryTask retry:
                Do(signal, retry.Task, Retry, id => retry with { Task = id });
                break;
            case WorkflowSignal.SkipTask skip:
                Do(signal, skip.Task, Skip, id => skip with { Task = id });
                break;
            case WorkflowSignal.CancelTask cancel:
                Do(signal, cancel.Task, Cancel, id => cancel with { Task = id });
                break;
            default:
                _context.Emit(new WorkflowEvent.SignalIgnored("null", "there is no signal in it"));
                break;
        }
    }

    /// <summary>Does what a signal wants of a task: of this workflow, or behind a <c>/</c> of a sub-workflow.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="id">What it names; JSON may leave it out.</param>
    /// <param name="act">What it means for a task of this workflow.</param>
    /// <param name="below">The signal that the sub-workflow gets.</param>
    private void Do(WorkflowSignal signal, string? id, Action<WorkflowSignal, NodeRun> act, Func<string, WorkflowSignal> below)
    {
        int slash = id?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (string.IsNullOrEmpty(id))
            Ignore(signal, "it names no task; give the task's id as task");
        else if (slash < 0 && Find(signal, id) is { } run)
            act(signal, run);
        else if (slash >= 0 && _context.SignalChildren(below(id[(slash + 1)..]), id[..slash]) == 0)
            Ignore(signal, WhyNoChild(id[..slash], id[(slash + 1)..]));
    }

    private string WhyNoChild(string subject, string rest)
    {
        string id = subject.Split('[')[0];
        return Array.Find(_runs, r => r.Node.Id == id) switch
        {
            null => $"there is no task '{id}'",
            { Node.Child: null } => $"task {id} is no sub-workflow",
            { State: not NodeState.Running } => $"task {id} is not under way",
            { Node.ItemInput: not null } when subject == id => $"task {id} is a fan-out; name the run, as in {id}[0]/{rest}",
            _ => $"no sub-workflow is under way as {subject}",
        };
    }

    // Sub-workflows hear of a resume before what was held back starts, which may be further ones.
    private void SetPaused(bool isPaused, WorkflowEvent said, WorkflowSignal signal)
    {
        _isPaused = isPaused;
        _context.ShowPaused(isPaused);
        _context.Emit(said);
        _context.SignalChildren(signal);
        if (!isPaused)
            Interlocked.Exchange(ref _resumed, null)?.TrySetResult();
    }

    /// <summary>A pause holds back what a node that is under way has not started yet: items of a fan-out, another attempt of a child. A stop ends the wait.</summary>
    public async Task WhilePausedAsync(NodeRun run)
    {
        while (_isPaused && !run.Stop.IsCancellationRequested)
            await Task.WhenAny((_resumed ??= new TaskCompletionSource()).Task, run.ToldToStop);
    }

    private void Cancel(WorkflowSignal signal, NodeRun run)
    {
        if (run.State == NodeState.Running)
            run.StopNow();
        else
            Ignore(signal, $"task {run.Node.Id} is not under way");
    }

    private void Retry(WorkflowSignal signal, NodeRun run)
    {
        if (run.State != NodeState.Failed)
        {
            Ignore(signal, $"task {run.Node.Id} has not failed");
            return;
        }
        run.Reset();
        _ready.Enqueue(run);
    }

    private void Skip(WorkflowSignal signal, NodeRun run)
    {
        switch (run.State)
        {
            case NodeState.Done:
                Ignore(signal, $"task {run.Node.Id} has ended");
                break;
            case NodeState.Running:
                run.IsSkipped = true;
                run.StopNow();
                break;
            default:
                End(run, NodeEnd.Skipped);
                break;
        }
    }

    private NodeRun? Find(WorkflowSignal signal, string id)
    {
        NodeRun? run = Array.Find(_runs, r => r.Node.Id == id);
        if (run is null)
            Ignore(signal, $"there is no task '{id}'");
        return run;
    }

    private void Ignore(WorkflowSignal signal, string reason) => _context.Emit(new WorkflowEvent.SignalIgnored(signal.GetType().Name, reason));
}
