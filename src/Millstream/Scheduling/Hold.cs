namespace Millstream;

/// <summary>A starved request, and what is kept free for it against other jobs.</summary>
internal sealed class Hold(TaskRequest request)
{
    public TaskRequest Request { get; } = request;

    /// <summary>The worker on which it gathers, since a gang's owned units come from one worker.</summary>
    public WorkerState? Target { get; set; }

    public List<ResourceUnit> Units { get; } = [];

    public void Drop()
    {
        foreach (ResourceUnit unit in Units)
        {
            unit.HeldBy = null;
            unit.HeldAmount = 0;
            foreach (RateWindow window in unit.Rates ?? [])
            {
                window.Held = 0;
            }
        }

        Units.Clear();
        if (Target is not null)
        {
            Target.HeldBy = null;
            Target = null;
        }
    }
}
