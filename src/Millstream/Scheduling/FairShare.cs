namespace Millstream;

/// <summary>
/// What one party (a tenant or a job) leases now, and the place in line that follows: the smallest weighted dominant
/// share goes first; at equal shares who had less so far (share x time / weight), so that even a single unit goes round.
/// </summary>
internal sealed class FairShare(double weight, long order)
{
    private readonly long order = order;
    private long[] leased = new long[2];

    public double Weight { get; } = weight;

    public double Share { get; private set; }

    public double Served { get; private set; }

    public int Grants { get; private set; }

    public long Leased(int type) => type < leased.Length ? leased[type] : 0;

    public FairKey Key => new(Share, Served, order);

    public bool Before(FairShare other) => Key.Before(other.Key);

    /// <summary>Who comes back after a pause starts level with the others instead of catching up.</summary>
    public void Join(double level) => Served = Math.Max(Served, level);

    public void CountGrant(int grants) => Grants += grants;

    public void Charge(double amount) => Served += amount / Weight;

    public void Add(ResourceType type, long amount)
    {
        if (type.Index >= leased.Length)
        {
            Array.Resize(ref leased, Math.Max(type.Index + 1, leased.Length * 2));
        }

        leased[type.Index] += amount;
    }

    public void Recompute(List<ResourceType> types)
    {
        double most = 0;
        int count = Math.Min(leased.Length, types.Count);
        for (int i = 0; i < count; i++)
        {
            if (leased[i] != 0)
            {
                most = Math.Max(most, leased[i] * types[i].Inverse);
            }
        }

        Share = most / Weight;
    }

    /// <summary>A key that is never stale, for parties whose every change is not told to their heap.</summary>
    internal readonly record struct Live(FairShare Party) : IOrderKey<Live>
    {
        public bool Before(in Live other) => Party.Before(other.Party);
    }
}

/// <summary>A place in line: the share now, what was served so far, who came first.</summary>
internal readonly record struct FairKey(double Share, double Served, long Order) : IOrderKey<FairKey>
{
    public bool Before(in FairKey other)
    {
        if (Share != other.Share)
        {
            return Share < other.Share;
        }

        return Served != other.Served ? Served < other.Served : Order < other.Order;
    }
}
