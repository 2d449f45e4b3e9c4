using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What an agent needs around it in a contract test. Everything is made anew for each run.</summary>
public sealed record AgentContractOptions
{
    /// <summary>Makes the options of a run's orchestrator: workers, resources, the agents of children. A journal in them is not used.</summary>
    public Func<OrchestratorOptions> Options { get; init; } = static () => new OrchestratorOptions();

    /// <summary>Makes a model, as a <see cref="ScriptedModel"/>. After a crash the rest of a job asks the same one.</summary>
    public Func<IChatClient>? Model { get; init; }

    /// <summary>
    /// What comes from outside: called for each entry of the job, it answers questions and sends signals. After a crash it is called for all entries again, so give signals ids
    /// (<see cref="Job.SignalAsync"/>); a second answer is refused and does no harm.
    /// </summary>
    public Func<JobEvent, Job, Task>? Drive { get; init; }

    /// <summary>At how many places, spread over the job, it is cancelled, and crashes; 100 each by default.</summary>
    public int MaxPlaces { get; init; } = 100;

    /// <summary>How long, in real time, code of tasks may be at work before it counts as hanging; 10 s by default.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);
}
