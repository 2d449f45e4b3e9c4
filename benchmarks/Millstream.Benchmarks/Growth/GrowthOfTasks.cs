namespace Millstream;

/// <summary>What a task that does nothing costs in memory, by how many a job has.</summary>
internal static class GrowthOfTasks
{
    private const int Pieces = 20_000, Long = 1_000_000;
    private static readonly int[] Sizes = [100, 1_000, 10_000, 100_000, Long];

    public static async Task RunAsync(GrowthReport report)
    {
        List<GrowthSeries> times = [], bytes = [];
        // A graph of a million nodes is no workflow that anybody writes, and a turn takes a million commands.
        foreach ((string name, Func<int, Func<int, Task>> make, int most) in new (string, Func<int, Func<int, Task>>, int)[]
        {
            ("chain, agent", _ => EngineBench.ChainAsync, Long),
            ("fan-out, agent", _ => EngineBench.FanOutAsync, Long),
            ("chain, workflow", EngineBench.WorkflowChain, 100_000),
            ("fan-out, workflow", _ => EngineBench.WorkflowFanOutAsync, 100_000),
        })
        {
            (GrowthSeries time, GrowthSeries allocated) = (new(name, "us"), new($"{name}, allocated", "B"));
            bool isFirst = true;
            foreach (int size in Sizes.Where(s => s <= most))
            {
                Func<int, Task> run = make(size);
                int times1 = Math.Max(1, Pieces / size);
                Measure.Sample sample = await Measure.SampleAsync(size * times1, async _ =>
                {
                    for (int i = 0; i < times1; i++)
                        await run(size);
                }, size == Long ? 3 : 5, TimeSpan.FromSeconds(isFirst ? 2 : 0.2));
                time.Add(size, sample.Nanoseconds / 1_000);
                allocated.Add(size, sample.Bytes);
                isFirst = false;
            }
            times.Add(time);
            bytes.Add(allocated);
        }
        report.Table("tasks", "A task of a job that has so many, in memory, us (of 3 rounds at 1,000,000)", "tasks", times);
        report.Table("tasks", "Bytes allocated a task", "tasks", bytes);
        report.Picture("growth-tasks.svg", new Chart("A task that does nothing, by the tasks of its job", "tasks of the job", "us a task, in memory", times, IsLogY: false));
        report.Picture("growth-tasks-bytes.svg", new Chart("What a task allocates, by the tasks of its job", "tasks of the job", "bytes a task", bytes, IsLogY: false));
    }
}
