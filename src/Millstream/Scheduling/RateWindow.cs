namespace Millstream;

/// <summary>
/// What was taken of one rate: a taken amount counts from its grant until a window after it has arrived at the other side. Whatever window of that length
/// the other side looks at, it lies inside that time, so it sees no more than the limit.
/// </summary>
internal sealed class RateWindow(string name, long limit, long length)
{
    // A long log is merged by cells, so that less than 0.5 % of the window is lost and the entries always fit.
    private const int MostEntries = 256, Cells = 220;

    // Sums of what is settled must not overflow.
    private const long Most = 1L << 50;

    private (long At, long Amount)[] log = [];
    private int first;
    private int count;
    private long passing;

    public string Name => name;

    public long Limit { get; private set; } = Math.Min(limit, Most);

    /// <summary>The length of the window, in ticks.</summary>
    public long Length => length;

    /// <summary>What was taken and has not arrived.</summary>
    public long Pending { get; private set; }

    /// <summary>What is kept for a starved request, against other jobs.</summary>
    public long Held { get; set; }

    /// <summary>What may be taken now; below 0 when more was used than the limit, or the limit was lowered.</summary>
    public long Room => Limit - Pending - passing;

    public bool IsIdle => Pending == 0 && count == 0;

    /// <summary>When the next amount has passed, or never.</summary>
    public long NextEnd => count == 0 ? long.MaxValue : log[first].At + length;

    public int Entries => count;

    public void SetLimit(long most) => Limit = Math.Min(most, Most);

    public void Take(long amount) => Pending += amount;

    /// <summary>What was taken has arrived.</summary>
    public void Arrive(long amount, long now)
    {
        Pending -= amount;
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.RateForgottenAtArrival)) amount = 0;
#endif
        if (count > 0 && log[first + count - 1].At == now)
        {
            log[first + count - 1].Amount += amount;
        }
        else
        {
            MakeRoom();
            log[first + count++] = (now, amount);
        }

        passing += amount;
    }

    /// <summary>What was taken turns out to be another amount.</summary>
    /// <param name="from">The amount that counts now.</param>
    /// <param name="to">The true amount.</param>
    /// <param name="arrived">When it arrived, or <see cref="long.MaxValue"/>.</param>
    /// <param name="now">The time.</param>
    /// <returns>What counts from now on.</returns>
    public long Correct(long from, long to, long arrived, long now)
    {
        to = Math.Min(to, Most);
        if (arrived == long.MaxValue)
        {
            Pending += to - from;
        }
        else if (arrived + length > now)
        {
            // Merging moves amounts to a later time only, so it stands in the first entry that is not earlier.
            int at = first + count - 1;
            while (at > first && log[at - 1].At >= arrived)
            {
                at--;
            }

            log[at].Amount += to - from;
            passing += to - from;
        }

        return to;
    }

    /// <summary>Forgets what has passed; whether there was something.</summary>
    public bool Pass(long now)
    {
        bool any = false;
        while (count > 0 && log[first].At + length <= now)
        {
            passing -= log[first++].Amount;
            count--;
            any = true;
        }

        first = count == 0 ? 0 : first;
        return any;
    }

    /// <summary>When so much may be taken, if nothing else is taken before and what is pending stays so: 0 for now, <see cref="long.MaxValue"/> for never.</summary>
    public long When(long amount)
    {
        long lacking = amount - Room;
        if (lacking <= 0)
        {
            return 0;
        }

        if (lacking > passing)
        {
            return long.MaxValue;
        }

        for (int i = first; i < first + count; i++)
        {
            lacking -= log[i].Amount;
            if (lacking <= 0)
            {
                return log[i].At + length;
            }
        }

        return long.MaxValue;
    }

    private void MakeRoom()
    {
        if (count >= MostEntries)
        {
            Merge();
        }

        if (first + count < log.Length)
        {
            return;
        }

        if (count * 2 >= log.Length)
        {
            Array.Resize(ref log, Math.Max(8, log.Length * 2));
        }

        log.AsSpan(first, count).CopyTo(log);
        first = 0;
    }

    private void Merge()
    {
        long cell = Math.Max(1, length / Cells);
        int kept = first;
        for (int i = first + 1; i < first + count; i++)
        {
            if (log[i].At / cell == log[kept].At / cell)
            {
                log[kept] = (log[i].At, log[kept].Amount + log[i].Amount);
            }
            else
            {
                log[++kept] = log[i];
            }
        }

        count = kept - first + 1;
    }
}

/// <summary>What one grant has taken of one rate.</summary>
internal sealed class RateTake(RateWindow window, int member, long amount)
{
    public RateWindow Window => window;

    /// <summary>The member of the grant whose resource it is.</summary>
    public int Member => member;

    public long Amount { get; set; } = amount;

    /// <summary>When it arrived, or <see cref="long.MaxValue"/>.</summary>
    public long ArrivedAt { get; set; } = long.MaxValue;
}
