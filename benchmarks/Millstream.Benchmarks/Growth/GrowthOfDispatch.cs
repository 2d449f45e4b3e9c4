using System.Diagnostics;
using System.Globalization;

namespace Millstream;

/// <summary>
/// The pure scheduler: what a dispatch costs, that is giving one grant back until a task that waits has the next one. The line is kept at about its length:
/// after some releases, which are measured, tasks like those that were granted are submitted, which is not.
/// </summary>
internal static class GrowthOfDispatch
{
    private const int Rounds = 5, Dispatches = 20_000;
    private const double BoundUs = 5, MoreUs = 1;
    private static readonly int[] Sizes = [1_000, 10_000, 100_000, 1_000_000];
    private static readonly TimeSpan RoundLimit = TimeSpan.FromMilliseconds(100);

    public static Task RunAsync(GrowthReport report)
    {
        // Until the compiler has seen what is hot.
        Measured(new DispatchWorld(100, 100, 100, 10_000), 20);
        List<GrowthSeries> all = [], drawn = [];
        foreach (int units in (int[])[10, 1_000, 10_000])
        {
            string fleet = string.Create(CultureInfo.InvariantCulture, $"{units:N0} units");
            List<GrowthSeries> columns = [];
            GrowthSeries bytes = new("bytes in the last", "B");
            foreach (int jobs in (int[])[1, 1_000])
            {
                foreach (int shapes in (int[])[1, 100, 10_000])
                {
                    GrowthSeries line = new($"{Count(jobs, "job")}, {Count(shapes, "shape")}", "us");
                    bytes.Points.Clear();
                    foreach (int waiting in Sizes)
                    {
                        (double us, double allocated) = Measured(new DispatchWorld(units, jobs, shapes, waiting), Rounds);
                        line.Add(waiting, us);
                        bytes.Add(waiting, allocated);
                    }
                    columns.Add(line);
                    all.Add(line with { Name = $"{fleet}, {line.Name}" });
                    if (jobs == 1_000 && units != 1_000)
                        drawn.Add(all[^1]);
                }
            }
            report.Table($"dispatch, {fleet}", $"Dispatch, {fleet}: from a release to the next grant", "waiting", [.. columns, bytes]);
        }
        GrowthSeries worst = all.MaxBy(s => s.Points[^1].Value)!, most = all.MaxBy(More)!;
        report.Bound($"dispatch at 1,000,000 waiting, worst: {worst.Name}", worst.Points[^1].Value, "us", BoundUs);
        report.Bound($"  more than at 1,000, worst: {most.Name}", More(most), "us", MoreUs);
        report.Picture("growth-dispatch.svg", new Chart("A dispatch, by the tasks that wait", "tasks that wait", "us from a release to the next grant", drawn, ("bound", BoundUs), IsLogY: false));
        return Task.CompletedTask;
    }

    private static double More(GrowthSeries series) => series.Points[^1].Value - series.Points[0].Value;

    private static string Count(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");

    /// <returns>Microseconds and bytes a dispatch.</returns>
    private static (double Us, double Bytes) Measured(DispatchWorld world, int rounds)
    {
        GC.Collect();
        world.Run(Dispatches / 4, RoundLimit);
        List<double> times = [];
        double bytes = 0;
        for (int i = 0; i < rounds; i++)
        {
            (double us, bytes) = world.Run(Dispatches, RoundLimit);
            times.Add(us);
        }
        return (Measure.Median(times), bytes);
    }
}
