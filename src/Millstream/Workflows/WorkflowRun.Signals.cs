namespace Millstream;

/// <content>Pause, resume, retry, skip, cancel.</content>
internal sealed partial class WorkflowRun
{
    private void Handle(WorkflowSignal signal)
    {
        switch (signal)
        {
            case WorkflowSignal.Pause when !_isPaused:
                SetPaused(true, new WorkflowEvent.Paused());
                break;
            case WorkflowSignal.Resume when _isPaused:
                SetPaused(false, new WorkflowEvent.Resumed());
                break;
            case WorkflowSignal.RetryTask { Task: { } id } when Find(signal, id) is { } run:
                Retry(signal, run);
                break;
            case WorkflowSignal.SkipTask { Task: { } id } when Find(signal, id) is { } run:
                Skip(signal, run);
                break;
            case WorkflowSignal.CancelTask { Task: { } id } when Find(signal, id) is { } run:
                if (run.State == NodeState.Running)
                    run.Stop.Cancel();
                else
                    Ignore(signal, $"task {id} is not under way");
                break;
            case WorkflowSignal.Pause or WorkflowSignal.Resume:
                Ignore(signal, _isPaused ? "the workflow is paused already" : "the workflow is not paused");
                break;
        }
    }

    private void SetPaused(bool isPaused, WorkflowEvent said)
    {
        _isPaused = isPaused;
        _context.ShowPaused(isPaused);
        _context.Emit(said);
        if (!isPaused)
            Interlocked.Exchange(ref _resumed, null)?.TrySetResult();
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
                run.Stop.Cancel();
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
