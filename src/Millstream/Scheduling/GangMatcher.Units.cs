using System.Numerics;

namespace Millstream;

/// <content>Which units are offered to which places.</content>
internal sealed partial class GangMatcher
{
    private void SetUp(TaskShape shape, WorkerState? worker)
    {
        Count = 0;
        sharedCount = 0;
        units.Clear();
        foreach (Need need in shape.Needs)
        {
            if (need.Shared)
            {
                sharedOrder[sharedCount++] = Count;
            }

            for (long i = need.Shared ? need.Amount : 1; i <= need.Amount; i++)
            {
                chosen[Count] = -1;
                places[Count++] = need;
            }
        }

        if (sharedCount > 1)
        {
            sharedOrder.AsSpan(0, sharedCount).Sort(byAmount);
        }

        offering++;
        if (worker is not null)
        {
            OfferAll(shape, worker.Units, worker);
        }

        foreach ((ResourceType type, _) in shape.Totals)
        {
            OfferAll(shape, type.Pool, null);
        }
    }

    private void OfferAll(TaskShape shape, List<ResourceUnit> all, WorkerState? owner)
    {
        if (mode == MatchMode.Now && all.Count > Many)
        {
            foreach (Need need in shape.Needs)
            {
                OfferFree(need, owner);
            }

            return;
        }

        foreach (ResourceUnit unit in all)
        {
            Offer(unit);
        }
    }

    // Of what one uses alone as many as there are places are enough: whatever the others take, one is left.
    private void OfferFree(Need need, WorkerState? owner)
    {
        List<ResourceUnit> all = need.Type.Units;
        ulong[] match = need.Match.Bits, whole = need.Type.Whole;
        if (need.Shared)
        {
            for (int at = need.Type.Room.Next(0, match, need.Amount); at >= 0; at = need.Type.Room.Next(at + 1, match, need.Amount))
            {
                if (all[at].Worker == owner)
                {
                    Offer(all[at]);
                }
            }

            return;
        }

        int found = 0;
        for (int word = 0; word < match.Length && found < Count; word++)
        {
            for (ulong left = match[word] & whole[word]; left != 0 && found < Count; left &= left - 1)
            {
                ResourceUnit unit = all[word * 64 + BitOperations.TrailingZeroCount(left)];
                if (unit.Worker == owner && Suits(need, unit))
                {
                    Offer(unit);
                    found++;
                }
            }
        }
    }

    private void Offer(ResourceUnit unit)
    {
        if (unit.OfferedIn == offering)
        {
            return;
        }

        unit.OfferedIn = offering;
        int mask = 0;
        for (int place = 0; place < Count; place++)
        {
            Need need = places[place];
            if (need.Type == unit.TypeState && need.Match.Contains(unit.Index) && Suits(need, unit))
            {
                mask |= 1 << place;
            }
        }

        if (mask == 0)
        {
            return;
        }

        int at = units.Count;
        if (at == fits.Length)
        {
            Array.Resize(ref fits, at * 2);
            Array.Resize(ref owner, at * 2);
            Array.Resize(ref used, at * 2);
            Array.Resize(ref seen, at * 2);
        }

        fits[at] = mask;
        owner[at] = -1;
        used[at] = 0;
        units.Add(unit);
    }

    private bool Suits(Need need, ResourceUnit unit) => mode switch
    {
        MatchMode.Now => unit.Gives(need, job!),
        MatchMode.Ever => !need.Shared || (unit.Capacity >= need.Amount && unit.RatesSuffice(need)),
        _ => need.Shared ? unit.IsOpen && unit.Capacity - unit.Closed >= need.Amount && unit.RatesSuffice(need) && (unit.HeldBy is null || unit.HeldBy.Request.Job == job) : unit.Gives(need, job!),
    };
}
