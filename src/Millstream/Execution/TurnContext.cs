namespace Millstream;

/// <summary>
/// What a body's awaits come back through. Coming from inside the job's turn they are queued for it; from anywhere else the body was resumed by
/// something its context did not give: that is told to the job and never run.
/// </summary>
internal sealed class TurnContext : SynchronizationContext
{
    private static readonly TimeSpan BlockLimit = TimeSpan.FromSeconds(1);

    private readonly JobRunner _runner;

    public TurnContext(JobRunner runner)
    {
        _runner = runner;
        SetWaitNotificationRequired();
    }

    public override void Post(SendOrPostCallback d, object? state) => _runner.Post(d, state);

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new OutsideTurnException($"job {_runner.Id}: SynchronizationContext.Send into an agent's body is not possible; send the job a signal.");

    public override SynchronizationContext CreateCopy() => this;

    // Short waits for a lock pass; a body that blocks on a result would wait for ever, since the result is delivered by a later turn.
    public override int Wait(IntPtr[] waitHandles, bool waitAll, int millisecondsTimeout)
    {
        if (millisecondsTimeout >= 0 && millisecondsTimeout <= BlockLimit.TotalMilliseconds)
            return WaitHelper(waitHandles, waitAll, millisecondsTimeout);
        int result = WaitHelper(waitHandles, waitAll, (int)BlockLimit.TotalMilliseconds);
        return result != WaitHandle.WaitTimeout ? result : throw new OutsideTurnException(
            $"The body of agent {_runner.Agent.Id} blocked its turn for {BlockLimit.TotalSeconds:0} s (.Result, .Wait() or a lock); use await: `var x = await context.RunAsync(…)`.");
    }
}
