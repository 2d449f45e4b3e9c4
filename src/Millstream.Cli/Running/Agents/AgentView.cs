using System.Text.Json;

namespace Millstream.Cli.Running.Agents;

/// <summary>What every view of an agent's job does: it reads the stream, counts, and knows called agents by name.</summary>
internal abstract class AgentView : IRunView
{
    private readonly AgentTotals _totals = new();
    private readonly Dictionary<JobId, string> _children = [];

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            LlmEvent? said = AgentEvents.Of(e);
            _totals.Add(e, said);
            if (e is { Kind: JobEventKinds.ChildStarted, Child: { } child })
                _children[child] = e.Task ?? child.Value;
            if (said is null)
                Show(e);
            else if (!Show(e, said) && AgentEvents.InWords(said) is { } words)
                Line(e, words);
            Shown(e, said);
        }
    }

    public virtual Task LeaveAsync() => Task.CompletedTask;

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        string totals = _totals.Say(elapsed);
        switch (ending)
        {
            case JobEnding.Completed completed:
                Answer(completed.Output is JsonElement json ? json : JsonSerializer.SerializeToElement(completed.Output), $"completed: {totals}");
                break;
            case JobEnding.Failed failed:
                Say($"failed: {totals}");
                Fail(RunFailure.Say(failed.Error));
                break;
            case JobEnding.Cancelled cancelled:
                Say($"cancelled{(cancelled.Reason is null ? "" : $" ({cancelled.Reason})")}: {totals}");
                break;
        }

        foreach (string part in _totals.Parts())
            Say(part);
    }

    /// <summary>The name of the called agent that an entry is of, with what parts it from the rest; empty for the job's own.</summary>
    protected string Who(JobEvent e, string before, string behind) => e.Job.IsChild ? $"{before}{OutputText.Clean(_children.GetValueOrDefault(e.Job, e.Job.Value))}{behind}" : "";

    /// <summary>Shows an entry that is no event of an agent.</summary>
    protected abstract void Show(JobEvent e);

    /// <summary>Shows an event in a way of its own; false where the words that all views have will do.</summary>
    protected abstract bool Show(JobEvent e, LlmEvent said);

    /// <summary>It was shown.</summary>
    protected virtual void Shown(JobEvent e, LlmEvent? said)
    {
    }

    /// <summary>A line about an entry.</summary>
    protected abstract void Line(JobEvent e, string text);

    /// <summary>A line about the job as a whole.</summary>
    protected abstract void Say(string text);

    /// <summary>Why it failed, for standard error.</summary>
    protected virtual void Fail(string text) => Console.Error.WriteLine(text);

    /// <summary>The answer, and the line that ends a job that gave one.</summary>
    protected abstract void Answer(JsonElement output, string totals);
}
