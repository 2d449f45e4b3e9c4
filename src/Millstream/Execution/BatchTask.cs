namespace Millstream;

/// <summary>The one promise of a fan-out. The first failure that is delivered stops the others; when all have ended it is thrown.</summary>
internal sealed class Batch<TOutput>(int count)
{
    // No RunContinuationsAsynchronously: WhenAll and WhenAny would go on in the pool.
    private readonly TaskCompletionSource<TOutput[]> _promise = new();
    private readonly TOutput[] _results = new TOutput[count];
    private readonly BatchTask<TOutput>?[] _running = new BatchTask<TOutput>?[count];
    private TaskFailedException? _failure;
    private CancellationToken? _cancelled;
    private int _left = count;

    public Task<TOutput[]> Promise => _promise.Task;

    public void Add(int index, BatchTask<TOutput> task) => _running[index] = task;

    public void Completed(int index, object? output)
    {
        _results[index] = (TOutput)output!;
        Ended(index);
    }

    public void Failed(int index, TaskFailedException failure, JobRunner runner)
    {
        if (_failure is null)
        {
            _failure = failure;
            StopOthers(runner, index);
        }
        Ended(index);
    }

    public void Cancelled(int index, CancellationToken token, JobRunner runner)
    {
        if (_cancelled is null && _failure is null)
            StopOthers(runner, index);
        _cancelled ??= token;
        Ended(index);
    }

    private void StopOthers(JobRunner runner, int index)
    {
        for (int i = 0; i < _running.Length; i++)
        {
            if (i != index && _running[i] is { } task)
                runner.StopCommand(task);
        }
    }

    private void Ended(int index)
    {
        _running[index] = null;
        if (--_left > 0)
            return;
        if (_failure is not null)
            _promise.TrySetException(_failure);
        else if (_cancelled is { } token)
            _promise.TrySetCanceled(token);
        else
            _promise.TrySetResult(_results);
    }
}

/// <summary>One task of a fan-out.</summary>
internal sealed class BatchTask<TOutput>(Batch<TOutput> batch, int index, AgentTask task, object? input, string subject, RunSettings settings) : TaskCommand(task, input, subject, settings)
{
    protected override void SettleResult(object? output) => batch.Completed(index, output);

    protected override void SettleError(TaskFailedException error) => batch.Failed(index, error, Runner);

    protected override void SettleCancelled(CancellationToken token) => batch.Cancelled(index, token, Runner);
}
