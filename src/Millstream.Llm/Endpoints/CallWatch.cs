namespace Millstream;

/// <summary>Stops a call whose server says nothing for too long: until its answer begins, and then within it.</summary>
internal sealed class CallWatch : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LlmEndpoint _endpoint;
    private readonly LlmExchange _exchange;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop;
    private readonly ITimer _timer;
    private readonly long _began;
    private bool _hasBegun;
    private bool _isOver;

    public CallWatch(LlmEndpoint endpoint, LlmExchange exchange, TimeProvider time, CancellationToken token, CancellationToken interrupt)
    {
        (_endpoint, _exchange, _time, _began) = (endpoint, exchange, time, time.GetTimestamp());
        _stop = CancellationTokenSource.CreateLinkedTokenSource(token, interrupt);
        exchange.Stop = _stop.Token;
        _timer = time.CreateTimer(static state => ((CallWatch)state!).Look(), this, endpoint.FirstTokenTimeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Fires when the call has to stop.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>What took too long; null where nothing did.</summary>
    public string? Fault { get; private set; }

    /// <summary>Something of the answer came.</summary>
    public void Came()
    {
        _exchange.Progress();
        lock (_lock)
        {
            if (_hasBegun || _isOver)
                return;
            _hasBegun = true;
            _timer.Change(_endpoint.StallTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _isOver = true;
        _timer.Dispose();
        _stop.Dispose();
    }

    private void Look()
    {
        lock (_lock)
        {
            if (_isOver)
                return;
            (TimeSpan limit, long since) = _hasBegun ? (_endpoint.StallTimeout, _exchange.LastProgress) : (_endpoint.FirstTokenTimeout, _began);
            TimeSpan left = limit - _time.GetElapsedTime(since);
            if (left > TimeSpan.Zero)
            {
                _timer.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
            _isOver = true;
            Fault = _hasBegun
                ? $"was silent within its answer for its stall timeout of {Words.Duration(limit)}"
                : $"did not begin its answer within its first token timeout of {Words.Duration(limit)}";
        }
        // Outside the lock, since what listens to the token runs here.
        _stop.Cancel();
    }
}
