using System.Globalization;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Disk;

/// <summary>Jobs of an orchestrator, with readers and senders; each line that a reader got and each word that was accepted is noted.</summary>
internal static class JobsWork
{
    private const int Jobs = 6;

    public static async Task RunAsync(string journal, Action<string> note)
    {
        await using IJournalStorage store = Runtime.Open(journal);
        ((SqliteJournalStorage)store).WriterSession.Run("PRAGMA wal_autocheckpoint = 25");
        await using AgentOrchestrator orchestrator = Runtime.Make(store, (key, attempt) => note(string.Create(CultureInfo.InvariantCulture, $"effect {key} {attempt}")));
        await orchestrator.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, Jobs).Select(async i =>
        {
            Job job = await orchestrator.CreateJobAsync("plan", System.Text.Json.JsonSerializer.SerializeToElement($"in {i}"), new JobOptions { Id = Runtime.Id(i) });
            note($"told {job.Id} created");
            await Task.WhenAll(ReadAsync(job, note), Teller.TellAsync(job, what => note($"told {job.Id} {what}")));
        }));
    }

    /// <summary>Notes each line as it comes.</summary>
    public static async Task ReadAsync(Job job, Action<string> note, long from = 1)
    {
        await foreach (JobEvent e in job.EventsAsync(from))
            note(string.Create(CultureInfo.InvariantCulture, $"line {job.Id} {e.Seq} {e.ToJson()}"));
    }
}
