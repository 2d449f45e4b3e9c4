using System.Globalization;

namespace Millstream.Crashes.Cycles;

/// <summary>
/// A program with many jobs is killed again and again; readers, and who signals and answers, live on in this process, which sees the jobs by
/// the journal alone.
/// </summary>
internal sealed class HostCycles(CrashStore journals, int seed, int jobs, Action<string> say)
{
    private const int Fresh = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Random _random = new(seed);
    private int _kills, _crashes, _ended, _lines, _accepted, _effects;

    public string Summary => string.Create(CultureInfo.InvariantCulture, $"{_kills} kills{(journals.HasServer ? $" and {_crashes} of the server" : "")}, {_ended} jobs ended, {_lines} lines and {_accepted} signals and answers acknowledged, {_effects} effects, nothing lost");

    public async Task RunAsync(int cycles)
    {
        for (int cycle = 0, generation = 1; cycle < cycles; generation++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"host{generation}"), journal = journals.JournalOf(name);
            string place = Directory.CreateDirectory(Path.Combine(journals.Folder, name)).FullName;
            Ledger ledger = new();
            await using IJournalStorage store = Runtime.Open(journal);
            await using AgentOrchestrator seen = Runtime.Make(store, claims: false);
            using CancellationTokenSource over = new();
            Dictionary<int, Task> watched = [];
            int effects = 0;
            bool isOver = false;
            while (!isOver)
            {
                using Victim host = Victim.Start(place, typeof(HostCycles).Assembly.Location, ["host", journal, place, jobs.ToString(CultureInfo.InvariantCulture)], _ => { });
                await host.Said;
                using CancellationTokenSource life = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
                Task watching = WatchNewAsync(store, seen, ledger, watched, life.Token);
                Task fresh = Task.WhenAll(Enumerable.Range(0, Fresh).Select(_ => ReadFromAsync(seen, ledger, _random.Next(jobs), _random.Next(1, 40), life.Token)));
                if (journals.HasServer && _random.Next(3) == 0)
                    await CrashServerAsync(host, ledger);
                // When enough were killed, the last generation ends in peace.
                int? code = cycle >= cycles ? await host.EndWithinAsync(Patience)
                    : await host.EndWithinAsync(TimeSpan.FromMilliseconds(_random.Next(5) == 0 ? _random.Next(300) : 1_500), MoreAsync(ledger));
                isOver = code == 0;
                if (code is null)
                    (cycle, _kills) = (cycle + 1, _kills + 1);
                else if (code != 0)
                    ledger.Fault($"the host ended with {code}: {host.Error}");
                life.Cancel();
                await watching;
                await fresh;
                string[] lines = await File.ReadAllLinesAsync(Path.Combine(place, HostProgram.Effects));
                foreach (string line in lines.Skip(effects).Where(l => l.Split(' ') is [{ Length: > 0 }, { Length: > 0 }]))
                    ledger.Effect(line.Split(' ')[0]);
                effects = lines.Length;
                await Audit.RunAsync(store, ledger, Audit.KeyOf);
                ledger.ThrowIfFaulty($"seed {seed}, generation {generation}, cycle {cycle}");
                say(string.Create(CultureInfo.InvariantCulture, $"host cycle {cycle}: {ledger.Lines} lines, {ledger.Accepted} accepted, {ledger.Effects} effects"));
            }
            await Task.WhenAll(watched.Values);
            await EndAsync(store, ledger, $"seed {seed}, generation {generation}");
            (_ended, _lines, _accepted, _effects) = (_ended + jobs, _lines + ledger.Lines, _accepted + ledger.Accepted, _effects + ledger.Effects);
        }
    }

    private Task MoreAsync(Ledger ledger) => ledger.ReachedAsync(ledger.Lines + _random.Next(1, jobs * 12));

    /// <summary>The server is gone for a while: the process that runs the jobs, its readers and its senders live on and see nothing of it.</summary>
    private async Task CrashServerAsync(Victim host, Ledger ledger)
    {
        await Task.WhenAny(host.Ended, MoreAsync(ledger));
        journals.CrashServer();
        _crashes++;
        await Task.WhenAny(host.Ended, MoreAsync(ledger)).WaitAsync(Patience);
    }

    /// <summary>Reads each job from its beginning to its end over all kills, and tells it what it waits for.</summary>
    private async Task WatchNewAsync(IJournalStorage store, AgentOrchestrator seen, Ledger ledger, Dictionary<int, Task> watched, CancellationToken life)
    {
        while (watched.Count < jobs && !life.IsCancellationRequested)
        {
            for (int i = 0; i < jobs; i++)
            {
                if (!watched.ContainsKey(i) && await seen.GetJobAsync(Runtime.Id(i)) is { } job)
                    watched[i] = Task.WhenAll(ReadAsync(job, ledger, 1, default), Teller.TellAsync(job, what => ledger.Accept(job.Id.Value, what)));
            }
            await store.WaitForChangeAsync(default);
        }
    }

    private static async Task ReadFromAsync(AgentOrchestrator seen, Ledger ledger, int number, long from, CancellationToken token)
    {
        if (await seen.GetJobAsync(Runtime.Id(number)) is { } job)
            await ReadAsync(job, ledger, from, token);
    }

    private static async Task ReadAsync(Job job, Ledger ledger, long from, CancellationToken token)
    {
        try
        {
            long next = from;
            await foreach (JobEvent e in job.EventsAsync(from, token))
            {
                if (e.Seq != next++)
                    ledger.Fault($"a reader of {job.Id} wanted entry {next - 1} and got {e.Seq}");
                ledger.Line(job.Id.Value, e.Seq, e.ToJson());
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // It leaves.
        }
        catch (JournalDamagedException e)
        {
            ledger.Fault($"a reader of {job.Id}: {e.Message}");
        }
    }

    private async Task EndAsync(IJournalStorage store, Ledger ledger, string when)
    {
        for (int i = 0; i < jobs; i++)
        {
            JobHead head = (await store.FindAsync(Runtime.Id(i)))!;
            List<string> stream = await Audit.LinesAsync(store, head);
            ledger.Whole(head.Id.Value, stream);
            if (head.Status != JobStatus.Completed)
                ledger.Fault($"{head.Id} ended {head.Status}");
            foreach (string what in (string[])["signal 1", "signal 2"])
            {
                int count = stream.Count(l => l.Contains($"\"kind\":\"signal\",\"job\":\"{head.Id}\",", StringComparison.Ordinal) && l.Contains($"\"{what}\"", StringComparison.Ordinal));
                if (count != 1)
                    ledger.Fault($"{what} is {count} times in the stream of {head.Id}");
            }
            int answers = stream.Count(l => l.Contains($"\"kind\":\"question.answered\",\"job\":\"{head.Id}\",", StringComparison.Ordinal));
            if (answers != 1)
                ledger.Fault($"the question of {head.Id} has {answers} answers");
        }
        ledger.ThrowIfFaulty(when);
    }
}
