using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>What a body logs through: silent while it runs again what it has logged before.</summary>
internal sealed class BodyLogger(JobRunner runner, ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => !runner.IsReplaying && inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!runner.IsReplaying)
            inner.Log(logLevel, eventId, state, exception, formatter);
    }
}
