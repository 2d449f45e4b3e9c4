namespace Millstream;

/// <summary>Starts async work of the runtime apart from its caller's context, so that a caller who blocks on the answer does not stop what gives it.</summary>
internal static class Outside
{
    public static T Run<T>(Func<T> work)
    {
        SynchronizationContext? callers = SynchronizationContext.Current;
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
