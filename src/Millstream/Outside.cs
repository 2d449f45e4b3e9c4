namespace Millstream;

/// <summary>Starts async work of the runtime apart from its caller's context, so that a caller who blocks on the answer does not stop what gives it.</summary>
internal static class Outside
{
    public static T Run<T>(Func<T> work)
    {
        SynchronizationContext? callers = SynchronizationContext.Current;
        // A context that is the executor itself, as a simulation's, is where the runtime's work belongs.
        if (callers is IExecutor)
            return work();
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return work();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(callers);
        }
    }
}
