namespace Millstream;

/// <summary>What an entry of a journal in SQLite costs to append and to replay, by how many there are.</summary>
internal static class GrowthOfJournal
{
    private const int Jobs = 100, Entries = 10, Rounds = 5;
    private static readonly int[] Sizes = [1_000, 10_000, 100_000, 1_000_000];

    public static async Task RunAsync(GrowthReport report, bool isLong)
    {
        GrowthSeries append = new("append", "us"), replay = new("replay", "us");
        int[] sizes = isLong ? [.. Sizes, 10_000_000] : Sizes;
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            Dictionary<int, List<double>> appends = [];
            for (int round = 0; round <= Rounds; round++)
            {
                await using SqliteJournalStorage store = new(Path.Combine(folder, $"append{round}.db"));
                int before = 0;
                // Each size is what was appended since the one before it; the first round warms up.
                foreach (int size in sizes.Where(s => s <= 1_000_000 || round is > 0 and <= 3))
                {
                    int batches = size / (Jobs * Entries) - before;
                    double time = await JournalBench.AppendsAsync(store, Jobs, batches, Entries, before);
                    before += batches;
                    if (round > 0)
                        (appends.TryGetValue(size, out List<double>? all) ? all : appends[size] = []).Add(time);
                }
            }
            foreach (int size in sizes)
            {
                append.Add(size, Measure.Median(appends[size]));
                Func<Task<double>> run = await DurableBench.ReplayAsync(Path.Combine(folder, $"replay{size}.db"), size);
                List<double> times = [];
                for (int round = 0; round <= (size >= 1_000_000 ? 3 : Rounds); round++)
                    times.Add(await run());
                replay.Add(size, Measure.Median(times[1..]));
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
        report.Table("journal", $"An entry of a journal in SQLite: appended by {Jobs} jobs in records of {Entries}, replayed as one job (of 3 rounds from 1,000,000 on)", "entries", [append, replay]);
        report.Picture("growth-journal.svg", new Chart("An entry of a journal in SQLite, by its length", "entries", "us an entry", [append, replay]));
    }
}
