using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Millstream;

/// <content>Onto what.</content>
internal sealed partial class Scheduler
{
    private const int FewWorkers = 4, MostPlaces = 16;

    private readonly GangMatcher matcher = new();
    private readonly List<WorkerState> slotsCame = [];
    private readonly List<WorkerState> places = [];
    private readonly List<WorkerState> otherPlaces = [];
    private readonly Comparison<WorkerState> fromNext;
    private ulong[] openWorkers = [];
    private (int Tier, double Load) bestRank;
    private int nextWorker;

    private void SlotCame(WorkerState worker)
    {
        freeSlots++;
        if (worker.FreeSlots++ == 0)
        {
            if (worker.Index < workers.Count && workers[worker.Index] == worker)
            {
                openWorkers[worker.Index >> 6] |= 1UL << worker.Index;
                slotsCame.Add(worker);
            }

            SetDirty(slots);
        }
        else if (holds.Count > 0)
        {
            SetDirty(slots);
        }
    }

    private void FindOpenWorkers()
    {
        openWorkers = new ulong[(workers.Count + 63) / 64];
        nextWorker = Math.Max(0, Math.Min(nextWorker, workers.Count - 1));
        foreach (WorkerState worker in workers)
        {
            if (worker.FreeSlots > 0)
            {
                openWorkers[worker.Index >> 6] |= 1UL << worker.Index;
            }
        }
    }

    /// <summary>Finds a worker where a gang is free; the matcher has its units then.</summary>
    /// <param name="shape">What is wanted.</param>
    /// <param name="job">For whom.</param>
    /// <param name="onlyNew">Whether it did not fit before, so that it can fit only where something came back.</param>
    /// <param name="worker">The worker; workers go round.</param>
    private bool TryPlace(TaskShape shape, SchedulingJob job, bool onlyNew, [NotNullWhen(true)] out WorkerState? worker)
    {
        worker = null;
        placedFor = null;
        if (freeSlots == 0)
        {
            return false;
        }

        if (workers.Count > FewWorkers && !shape.IsSlotOnly && ((onlyNew && holds.Count == 0 && FindNew(shape)) || FindScarcest(shape)))
        {
            if (places.Count > 1)
            {
                places.Sort(fromNext);
            }

            foreach (WorkerState candidate in places)
            {
                if (Try(candidate, shape, job, ref worker))
                {
                    return true;
                }
            }
        }
        else
        {
            for (int i = NextOpen(nextWorker + 1, workers.Count); i >= 0; i = NextOpen(i + 1, workers.Count))
            {
                if (Try(workers[i], shape, job, ref worker))
                {
                    return true;
                }
            }

            for (int i = NextOpen(0, nextWorker + 1); i >= 0; i = NextOpen(i + 1, nextWorker + 1))
            {
                if (Try(workers[i], shape, job, ref worker))
                {
                    return true;
                }
            }
        }

        return worker is not null && matcher.TryMatch(shape, worker, job, MatchMode.Now);
    }

    // Where workers' units have tiers or weights of their own all are looked at, and the best is taken.
    private bool Try(WorkerState candidate, TaskShape shape, SchedulingJob job, [NotNullWhen(true)] ref WorkerState? worker)
    {
        if (candidate.FreeSlotsFor(job) <= 0 || (!shape.IsSlotOnly && !matcher.TryMatch(shape, candidate, job, MatchMode.Now)))
        {
            return false;
        }

        if (!shape.IsRanked)
        {
            worker = candidate;
            return true;
        }

        (int Tier, double Load) rank = matcher.Rank();
        if (worker is null || rank.CompareTo(bestRank) < 0)
        {
            (worker, bestRank) = (candidate, rank);
        }

        return false;
    }

    private int FromNext(WorkerState left, WorkerState right) => Distance(left).CompareTo(Distance(right));

    private int Distance(WorkerState worker) => (worker.Index - nextWorker - 1 + workers.Count) % workers.Count;

    private int NextOpen(int from, int to)
    {
        to = Math.Min(to, workers.Count);
        for (int word = from >> 6; from < to; from = ++word << 6)
        {
            ulong left = openWorkers[word] & (ulong.MaxValue << (from & 63));
            if (left != 0)
            {
                int found = (word << 6) + BitOperations.TrailingZeroCount(left);
                return found < to ? found : -1;
            }
        }

        return -1;
    }

    /// <summary>The workers where something came back; false where that is no few.</summary>
    private bool FindNew(TaskShape shape)
    {
        places.Clear();
        foreach ((ResourceType type, _) in shape.Totals)
        {
            if (!type.IsDirty)
            {
                continue;
            }

            if (type.AllCameBack)
            {
                return false;
            }

            for (int i = 0; type == slots && i < slotsCame.Count; i++)
            {
                if (!AddPlace(places, slotsCame[i]))
                {
                    return false;
                }
            }

            foreach (ResourceUnit unit in type.CameBack)
            {
                if (unit.Worker is null || !AddPlace(places, unit.Worker))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The workers that have what fewest have; false where each has more than few.</summary>
    private bool FindScarcest(TaskShape shape)
    {
        bool found = false;
        foreach (Need need in shape.Needs)
        {
            if (FindOwners(need) && (!found || otherPlaces.Count < places.Count))
            {
                found = true;
                places.Clear();
                places.AddRange(otherPlaces);
            }
        }

        return found;
    }

    private bool FindOwners(Need need)
    {
        otherPlaces.Clear();
        ulong[] match = need.Match.Bits;
        if (need.Shared)
        {
            for (int at = need.Type.Room.Next(0, match, need.Amount); at >= 0; at = need.Type.Room.Next(at + 1, match, need.Amount))
            {
                if (need.Type.Units[at].Worker is not { } owner || !AddPlace(otherPlaces, owner))
                {
                    return false;
                }
            }

            return true;
        }

        ulong[] whole = need.Type.Whole;
        for (int word = 0; word < match.Length; word++)
        {
            for (ulong left = match[word] & whole[word]; left != 0; left &= left - 1)
            {
                if (need.Type.Units[word * 64 + BitOperations.TrailingZeroCount(left)].Worker is not { } owner || !AddPlace(otherPlaces, owner))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool AddPlace(List<WorkerState> list, WorkerState worker)
    {
        if (list.Contains(worker))
        {
            return true;
        }

        if (list.Count == MostPlaces)
        {
            return false;
        }

        list.Add(worker);
        return true;
    }
}
