namespace Millstream;

/// <summary>How a task is retried and how long an attempt may take.</summary>
public sealed record TaskPolicy
{
    private readonly TimeSpan? _timeout;
    private readonly bool _isAtMostOnce;
    private readonly RetryPolicy _retry = RetryPolicy.None;

    /// <summary>One attempt, no time limit.</summary>
    public static TaskPolicy Default { get; } = new();

    /// <summary>How failed attempts are tried again.</summary>
    /// <exception cref="ArgumentException">It has several attempts, and <see cref="AtMostOnce"/> excludes that.</exception>
    public RetryPolicy Retry
    {
        get => _retry;
        init => _retry = value.Attempts == 1 || !_isAtMostOnce ? value : throw OnceOnly(value.Attempts);
    }

    /// <summary>
    /// Whether the task must not be repeated. Others run again when their process ended while they were at work; this one then becomes a question,
    /// <see cref="TaskInDoubt"/>, as it does when it loses its lease. That it begins is durable before it does.
    /// </summary>
    /// <exception cref="ArgumentException"><see cref="Retry"/> has several attempts, which this excludes.</exception>
    public bool AtMostOnce
    {
        get => _isAtMostOnce;
        init => _isAtMostOnce = !value || _retry.Attempts == 1 ? value : throw OnceOnly(_retry.Attempts);
    }

    /// <summary>The time that one attempt may take, from its lease on; null for no bound.</summary>
    /// <exception cref="ArgumentException">It is not greater than zero.</exception>
    public TimeSpan? Timeout
    {
        get => _timeout;
        init => _timeout = value is not { } time || time > TimeSpan.Zero ? value : throw new ArgumentException($"{nameof(TaskPolicy)}.{nameof(Timeout)} is {value}; give more than zero, or null for no bound.", nameof(value));
    }

    private static ArgumentException OnceOnly(int attempts) => new($"{nameof(TaskPolicy)}.{nameof(AtMostOnce)} is true and {nameof(Retry)}.{nameof(RetryPolicy.Attempts)} is {attempts}; a task that must not be repeated has one attempt.");
}

/// <summary>Back-off between attempts. The lease is given back meanwhile.</summary>
public sealed record RetryPolicy
{
    private readonly int _attempts = 1;
    private readonly double _factor = 2;
    private readonly TimeSpan _delay = TimeSpan.FromSeconds(1);
    private readonly TimeSpan _maxDelay = TimeSpan.FromSeconds(30);

    /// <summary>One attempt.</summary>
    public static RetryPolicy None { get; } = new();

    /// <summary>Attempts in all, 1 by default.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int Attempts
    {
        get => _attempts;
        init => _attempts = value >= 1 ? value : throw new ArgumentException($"{nameof(RetryPolicy)}.{nameof(Attempts)} is {value}; give 1 or more, the first attempt counts.", nameof(value));
    }

    /// <summary>The wait before the second attempt, 1 s by default.</summary>
    /// <exception cref="ArgumentException">It is below zero.</exception>
    public TimeSpan Delay
    {
        get => _delay;
        init => _delay = NotNegative(value, nameof(Delay));
    }

    /// <summary>How much longer each further wait is, 2 by default.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public double Factor
    {
        get => _factor;
        init => _factor = value >= 1 ? value : throw new ArgumentException($"{nameof(RetryPolicy)}.{nameof(Factor)} is {value}; give 1 or more.", nameof(value));
    }

    /// <summary>The longest wait, 30 s by default; an error's own <see cref="RetryableTaskException.RetryAfter"/> may be longer.</summary>
    /// <exception cref="ArgumentException">It is below zero.</exception>
    public TimeSpan MaxDelay
    {
        get => _maxDelay;
        init => _maxDelay = NotNegative(value, nameof(MaxDelay));
    }

    /// <summary>Whether waits are spread over half to all of their length, so that what failed together does not come back together. True by default.</summary>
    public bool Jitter { get; init; } = true;

    /// <summary>The wait after a failed attempt.</summary>
    /// <param name="attempt">The failed attempt, from 1.</param>
    /// <param name="retryAfter">What the other side asked for.</param>
    /// <param name="random">0 (inclusive) to 1.</param>
    internal TimeSpan DelayAfter(int attempt, TimeSpan? retryAfter, double random)
    {
        double ticks = Math.Min(MaxDelay.Ticks, Delay.Ticks * Math.Pow(Factor, attempt - 1));
        TimeSpan delay = TimeSpan.FromTicks((long)(Jitter ? ticks * (0.5 + random / 2) : ticks));
        return retryAfter > delay ? retryAfter.Value : delay;
    }

    private static TimeSpan NotNegative(TimeSpan value, string name) =>
        value >= TimeSpan.Zero ? value : throw new ArgumentException($"{nameof(RetryPolicy)}.{name} is {value}; give zero or more.", nameof(value));
}
