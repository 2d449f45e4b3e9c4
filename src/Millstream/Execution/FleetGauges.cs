using System.Diagnostics.Metrics;

namespace Millstream;

/// <summary>What the orchestrators of this process lease and have free, by type, for whoever measures. Those that nobody disposes are not kept alive.</summary>
internal static class FleetGauges
{
    private const int Few = 16;

    private static readonly Lock s_gate = new();
    private static readonly List<WeakReference<Fleet>> s_fleets = [];
    private static int s_room = Few;

    public static void Add(Fleet fleet)
    {
        lock (s_gate)
        {
            if (s_fleets.Count >= s_room)
            {
                s_fleets.RemoveAll(f => !f.TryGetTarget(out _));
                s_room = Math.Max(Few, 2 * s_fleets.Count);
            }
            s_fleets.Add(new WeakReference<Fleet>(fleet));
        }
    }

    public static void Remove(Fleet fleet)
    {
        lock (s_gate)
            s_fleets.RemoveAll(f => !f.TryGetTarget(out Fleet? other) || other == fleet);
    }

    public static IEnumerable<Measurement<long>> Leased() => Measure(u => u.Leased);

    public static IEnumerable<Measurement<long>> Free() => Measure(u => u.Free);

    private static IEnumerable<Measurement<long>> Measure(Func<ResourceUse, long> of)
    {
        Fleet[] fleets;
        lock (s_gate)
            fleets = [.. s_fleets.Select(f => f.TryGetTarget(out Fleet? fleet) ? fleet : null).OfType<Fleet>()];
        return [.. fleets.SelectMany(f => f.Use()).GroupBy(u => u.Type, StringComparer.Ordinal)
            .Select(g => new Measurement<long>(g.Sum(of), new KeyValuePair<string, object?>("millstream.resource.type", g.Key)))];
    }
}
