namespace Millstream;

/// <summary>
/// Which task of a graph goes first, by what is known before any of them runs: the longest time behind it, something for each task behind it, and something for what it
/// takes of the resources. Immutable.
/// </summary>
internal sealed class TaskRanking
{
    // Chosen on graphs like those of PSPLIB whose durations and needs were drawn anew, not on the instances themselves (docs/performance.md).
    private const int Behind = 16, Own = 4;

    private readonly long[] successors;
    private readonly double[] shares;

    /// <summary>Takes a graph.</summary>
    /// <param name="network">What comes after what.</param>
    /// <param name="isWork">Whether a task takes time.</param>
    /// <param name="needs">By task what it needs beside a slot; null for what is no task of the fleet and takes nothing.</param>
    public TaskRanking(TaskNetwork network, Func<int, bool> isWork, IReadOnlyList<ResourceRequirement>?[] needs)
    {
        (Network, Needs, shares) = (network, needs, new double[network.Count]);
        successors = network.CountSuccessors(isWork);
        Dictionary<(string Type, LabelSelector Labels, bool Shared), long> most = [];
        foreach (ResourceRequirement need in needs.SelectMany(own => own ?? []))
            most[Kind(need)] = Math.Max(most.GetValueOrDefault(Kind(need)), need.Amount);
        for (int task = 0; task < needs.Length; task++)
            shares[task] = needs[task]?.Sum(need => (double)need.Amount / most[Kind(need)]) ?? 0;
        Ranks = RanksFor([.. Enumerable.Range(0, network.Count).Select(task => isWork(task) ? TimeSpan.TicksPerSecond : 0)]);
    }

    public TaskNetwork Network { get; }

    /// <summary>By task what it needs beside a slot; null for what is no task of the fleet and takes nothing.</summary>
    public IReadOnlyList<ResourceRequirement>?[] Needs { get; }

    /// <summary>By task its rank where durations are not known, as if all took equally long; a higher one goes first.</summary>
    public long[] Ranks { get; }

    /// <summary>By task its rank where it is known how long each takes; a higher one goes first, and of equal tasks the one that was named first.</summary>
    /// <param name="durations">By task how long it takes, in ticks.</param>
    public long[] RanksFor(long[] durations)
    {
        long[] tails = Network.Tails(task => durations[task]);
        // Not the mean: one very long task says nothing about the others.
        long[] work = [.. durations.Where(d => d > 0).Order()];
        double typical = work.Length == 0 ? 0 : work[work.Length / 2];
        return TaskNetwork.Ranks([.. tails.Select((tail, task) => tail + (long)(typical * successors[task] / Behind + (durations[task] + typical) * shares[task] / Own))]);
    }

    /// <summary>What is counted apart of a resource.</summary>
    public static (string Type, LabelSelector Labels, bool Shared) Kind(ResourceRequirement need) => (need.Type, need.Labels, need.Shared);
}
