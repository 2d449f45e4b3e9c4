namespace Millstream;

/// <summary>An agent, a resource or a test does not keep what it must: the message lists all of it.</summary>
public sealed class ContractException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="what">What was looked at.</param>
    /// <param name="faults">What is wrong, one sentence each.</param>
    public ContractException(string what, IReadOnlyList<string> faults) : base($"{what}: {string.Concat((faults ?? throw new ArgumentNullException(nameof(faults))).Select(f => $"\n- {f}"))}") =>
        (What, Faults) = (what, faults);

    /// <summary>What was looked at.</summary>
    public string What { get; }

    /// <summary>What is wrong, one sentence each.</summary>
    public IReadOnlyList<string> Faults { get; }

    internal static void ThrowIfAny(string what, IReadOnlyList<string> faults)
    {
        if (faults.Count > 0)
            throw new ContractException(what, faults);
    }
}
