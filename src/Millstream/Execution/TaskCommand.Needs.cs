namespace Millstream;

/// <content>What it needs of resources.</content>
internal abstract partial class TaskCommand
{
    private IReadOnlyList<ResourceRequirement>? _needs;

    /// <summary>Whether it is known what it needs.</summary>
    public bool IsPrepared => _needs is not null;

    /// <summary>Works out what it needs, which is the task's code; not under the fleet's lock. False where that cannot be, and then the task has failed.</summary>
    public bool TryPrepare()
    {
        if (_needs is not null)
            return true;
        TaskError error;
        try
        {
            IReadOnlyList<ResourceRequirement> own = task.RequirementsOf(input) ?? throw new InvalidOperationException("RequirementsFor gave null; give an empty list for a task that needs a slot only");
            if (ResourceRequirement.GangFault(Subject, own, settings.Requirements) is not { } fault)
            {
                _needs = settings.Requirements is { Count: > 0 } more ? [.. own, .. more] : own;
                return true;
            }
            error = new TaskError(Subject, _attempts, ErrorTypes.NeverFeasible, fault, false);
        }
        catch (Exception e)
        {
            error = new TaskError(Subject, _attempts, e.GetType().Name, $"task {Subject} cannot say what it needs: {e.Message}", false, e.ToString());
        }
        End(null, error);
        return false;
    }

    /// <summary>In place of a timer, for what is due at once.</summary>
    private sealed class NoTimer : IDisposable
    {
        public static readonly NoTimer Instance = new();

        public void Dispose()
        {
        }
    }
}
