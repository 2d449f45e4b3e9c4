using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Millstream.Crashes.Cycles;

/// <summary>A program of a user's: hundreds of jobs in one process. Each attempt of a task leaves a line in a file outside of the journal.</summary>
internal static class HostProgram
{
    public const string Effects = "effects.txt";

    /// <summary>Starts or takes up the jobs j0, j1, … and ends when they have.</summary>
    public static async Task<int> RunAsync(string journal, string folder, int jobs)
    {
        await using FileStream effects = new(Path.Combine(folder, Effects), FileMode.Append, FileAccess.Write, FileShare.Read, 0);
        // What the last process had begun to write when it was killed ends here.
        effects.WriteByte((byte)'\n');
        await using IJournalStorage store = Runtime.Open(journal);
        await using AgentOrchestrator orchestrator = Runtime.Make(store, (key, attempt) =>
        {
            lock (effects)
                effects.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key} {attempt}\n")));
        });
        await orchestrator.StartAsync();
        Console.Out.WriteLine("started");
        await Task.WhenAll(Enumerable.Range(0, jobs).Select(async i =>
        {
            Job job = await orchestrator.CreateJobAsync("plan", JsonSerializer.SerializeToElement($"in {i}"), new JobOptions { Id = Runtime.Id(i) });
            await job.Ending;
        }));
        return 0;
    }
}
