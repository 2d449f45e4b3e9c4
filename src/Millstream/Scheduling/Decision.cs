namespace Millstream;

internal enum DecisionKind { Granted, NeverFeasible, Revoked }

/// <summary>
/// One thing that the scheduler decided. After Revoked the request waits again with its old place in line; but the end of a
/// session, whoever wanted it, revokes its opening grant for good, and its unfinished tasks get NeverFeasible.
/// </summary>
internal readonly record struct Decision(DecisionKind Kind, TaskRequest Request, Grant? Grant, string? Reason);

/// <summary>Decisions in their order, in a ring that is used again.</summary>
internal sealed class DecisionQueue
{
    private Decision[] ring = new Decision[64];
    private int first;

    public int Count { get; private set; }

    public void Add(Decision decision)
    {
        if (Count == ring.Length)
        {
            Decision[] larger = new Decision[Count * 2];
            for (int i = 0; i < Count; i++)
            {
                larger[i] = ring[(first + i) & (Count - 1)];
            }

            ring = larger;
            first = 0;
        }

        ring[(first + Count++) & (ring.Length - 1)] = decision;
    }

    public bool TryTake(out Decision decision)
    {
        if (Count == 0)
        {
            decision = default;
            return false;
        }

        decision = ring[first];
        ring[first] = default;
        first = (first + 1) & (ring.Length - 1);
        Count--;
        return true;
    }
}
