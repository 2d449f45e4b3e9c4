using System.Text.Json;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Disk;

/// <summary>A disk that becomes full while jobs run: what they, their readers and their senders are told, and that all go on when there is room.</summary>
internal static class FullDisk
{
    private const int Full = 28, Jobs = 8;

    public static async Task<int> RunAsync(string root)
    {
        Shim.Watch(root);
        string journal = Path.Combine(root, "journal.db");
        Ledger ledger = new();
        int refusals = 0, said = 0;
        await using (IJournalStorage store = Runtime.Open(journal))
        await using (AgentOrchestrator orchestrator = Runtime.Make(store, (key, _) => ledger.Effect(key)))
        {
            await orchestrator.StartAsync();
            List<Job> jobs = [];
            for (int i = 0; i < Jobs; i++)
                jobs.Add(await orchestrator.CreateJobAsync("plan", JsonSerializer.SerializeToElement($"in {i}"), new JobOptions { Id = Runtime.Id(i) }));
            // Half of them wait for their answer by then, half are at work.
            foreach (Job job in jobs.Take(Jobs / 2))
                await UntilAskedAsync(job);
            Task[] readers = [.. jobs.Select(j => TellAsync(ledger, j, $"the reader of {j.Id}", () => ReadAsync(j, ledger)))];
            Shim.Fail(1, -1, Full, DiskCall.Create | DiskCall.Write | DiskCall.Truncate);
            await Task.WhenAll(jobs.Select(job => MustSayAsync($"the sender to {job.Id}", async () =>
            {
                for (int i = 0; ; i++)
                    await job.SignalAsync(JsonSerializer.SerializeToElement($"late {i}"));
            })));
            await Task.WhenAll(readers);
            await Task.WhenAll(jobs.Select(job => MustSayAsync($"who awaits {job.Id}", () => job.Ending)));
            await MustSayAsync("who starts a job", () => orchestrator.CreateJobAsync("plan", JsonSerializer.SerializeToElement("new"), new JobOptions { Id = Runtime.Id(99) }));
            said = refusals;
        }
        Shim.Fail(0, 0, 0, 0);
        await using (IJournalStorage store = Runtime.Open(journal))
        {
            await Audit.RunAsync(store, ledger, Audit.KeyOf);
            await using AgentOrchestrator orchestrator = Runtime.Make(store, (key, _) => ledger.Effect(key));
            await orchestrator.StartAsync();
            for (int i = 0; i < Jobs; i++)
            {
                Job job = (await orchestrator.GetJobAsync(Runtime.Id(i)))!;
                await Teller.TellAsync(job, _ => { });
                if (await job.Ending is not JobEnding.Completed)
                    ledger.Fault($"{job.Id} ended otherwise: {await job.Ending}");
                ledger.Whole(job.Id.Value, await Audit.LinesAsync(store, (await store.FindAsync(job.Id))!));
            }
            if (await orchestrator.GetJobAsync(Runtime.Id(99)) is not null)
                ledger.Fault("a job that was refused is there");
        }
        ledger.ThrowIfFaulty("after the disk was full");
        Console.Out.WriteLine($"= {said} were told, {ledger.Lines} lines");
        return 0;

        async Task MustSayAsync(string who, Func<Task> what)
        {
            try
            {
                await what();
                ledger.Fault($"{who} was told nothing");
            }
            catch (JournalStorageException e) when (e.Message.Contains("no room left", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref refusals);
            }
            catch (Exception e)
            {
                ledger.Fault($"{who} was told {e.GetType().Name}: {e.Message}");
            }
        }

        async Task TellAsync(Ledger _, Job job, string who, Func<Task> what) => await MustSayAsync(who, what);
    }

    private static async Task UntilAskedAsync(Job job)
    {
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (e.Kind == JobEventKinds.QuestionAsked)
                return;
        }
    }

    private static async Task ReadAsync(Job job, Ledger ledger)
    {
        await foreach (JobEvent e in job.EventsAsync())
            ledger.Line(job.Id.Value, e.Seq, e.ToJson());
    }
}
