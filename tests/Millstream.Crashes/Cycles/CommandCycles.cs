using System.Globalization;
using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Crashes.Cycles;

/// <summary>
/// The real command: <c>run</c>, <c>resume</c>, <c>watch</c>, <c>signal</c> and <c>cancel</c> as processes on one journal, killed at any instant. A
/// generation of jobs is started, killed and resumed some times and then let end.
/// </summary>
internal sealed class CommandCycles(CrashStore journals, int seed, Action<string> say) : IDisposable
{
    private const int Jobs = 4, Lives = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Random _random = new(seed);
    private readonly Ledger _ledger = new();
    private readonly List<(string Job, string Id, string Signal)> _unsent = [];
    private EffectServer _server = null!;
    private string _journal = "";
    private int _kills, _crashes, _ended, _signals;
    private bool _wasAway;

    public async Task RunAsync(int cycles)
    {
        _server = new EffectServer(_ledger);
        string file = CrashWorkflow.Write(journals.Home);
        for (int cycle = 0, generation = 1; cycle < cycles; generation++)
        {
            _journal = journals.JournalOf(string.Create(CultureInfo.InvariantCulture, $"g{generation}"));
            _unsent.Clear();
            string[] ids = [.. Enumerable.Range(1, Jobs).Select(i => string.Create(CultureInfo.InvariantCulture, $"g{generation}j{i}"))];
            await KilledAsync(ids.Select(id => Start("run", file, "--job-id", id, "--input", $"job={id}", "--input", $"port={_server.Port}", "--json")));
            cycle++;
            await AuditAsync($"cycle {cycle}");
            for (int life = 1; life < Lives && cycle < cycles; life++)
            {
                await LiveAsync(ids, life);
                cycle++;
                await AuditAsync($"cycle {cycle}");
                say(string.Create(CultureInfo.InvariantCulture, $"cycle {cycle}: {_kills} kills, {_ledger.Lines} lines, {_ledger.Accepted} accepted, {_ledger.Effects} effects"));
            }
            await EndAsync(file, ids, $"generation {generation}, after cycle {cycle}");
        }
    }

    public string Summary => string.Create(CultureInfo.InvariantCulture, $"{_kills} processes killed{(journals.HasServer ? $", {_crashes} times the server" : "")}, {_ended} jobs ended, {_ledger.Lines} lines and {_ledger.Accepted} signals and cancels acknowledged, {_ledger.Effects} effects, nothing lost");

    public void Dispose() => _server?.Dispose();

    /// <summary>One life of the process that goes on with all jobs, with readers and senders beside it.</summary>
    private async Task LiveAsync(string[] ids, int life)
    {
        List<Victim> beside = [];
        if (_random.Next(3) == 0)
        {
            string id = ids[_random.Next(Jobs)];
            long from = _random.Next(2) == 0 ? 1 : _ledger.NextOf(id);
            beside.Add(Start("watch", id, "--from", from.ToString(CultureInfo.InvariantCulture), "--json"));
        }
        Task telling = _random.Next(2) == 0 ? TellAsync(ids[_random.Next(Jobs - 1)]) : life == 4 ? CancelAsync(ids[^1]) : Task.CompletedTask;
        _wasAway = journals.HasServer && _random.Next(3) == 0;
        Task resuming = KilledAsync([Start("resume", "--json")]);
        Task crashing = _wasAway ? CrashServerAsync(resuming, _random.Next(1, 80)) : Task.CompletedTask;
        // A reader may have nothing to show, so it lives as long as who runs the jobs.
        Task<int?>[] reading = [.. beside.Select(v => v.EndWithinAsync(Patience, resuming))];
        await resuming;
        await telling;
        await crashing;
        foreach (int? code in await Task.WhenAll(reading))
        {
            if (code is null)
                _kills++;
        }
        beside.ForEach(v => v.Dispose());
    }

    private async Task CrashServerAsync(Task life, int lines)
    {
        await Task.WhenAny(life, _ledger.ReachedAsync(_ledger.Lines + lines));
        journals.CrashServer();
        _crashes++;
    }

    /// <summary>Sends what is not known to be accepted, and something new; the sender may be killed, too.</summary>
    private async Task TellAsync(string job)
    {
        _signals++;
        _unsent.Add((job, string.Create(CultureInfo.InvariantCulture, $"s{_signals}"), _signals % 2 == 0 ? """{"type":"resume"}""" : """{"type":"pause"}"""));
        await SendAsync(_random.Next(3) == 0 ? TimeSpan.FromMilliseconds(_random.Next(100, 700)) : Patience);
    }

    private async Task SendAsync(TimeSpan within)
    {
        foreach (var (job, id, signal) in _unsent.ToArray())
        {
            using Victim sender = Start("signal", job, signal, "--signal-id", id);
            int? code = await sender.EndWithinAsync(within);
            if (code is null)
                _kills++;
            else if (code == 1 && sender.Error.Contains("has ended", StringComparison.Ordinal))
                _unsent.Remove((job, id, signal));
            else if (code != 0 && !MayBe(sender.Error))
                _ledger.Fault($"signal {id} to {job} ended with {code}: {sender.Error}");
            if (code != 0)
                continue;
            _ledger.Accept(job, id);
            _unsent.Remove((job, id, signal));
        }
    }

    private async Task CancelAsync(string job)
    {
        using Victim sender = Start("cancel", job, "--reason", "enough");
        if (await sender.EndWithinAsync(Patience) == 0)
            _ledger.Accept(job, "cancel");
        else if (!MayBe(sender.Error))
            _ledger.Fault($"cancel of {job}: {sender.Error}");
    }

    /// <summary>Kills processes at some instant: while they start, or when they have shown something and so many new lines have come, or a time is over.</summary>
    private async Task KilledAsync(IEnumerable<Victim> victims)
    {
        List<Victim> all = [.. victims];
        int?[] codes = await Task.WhenAll(all.Select(v => KilledAsync(v, _random.Next(5) == 0 ? _random.Next(1000) : null, _random.Next(1, 120), _random.Next(40, 1500))));
        _kills += codes.Count(c => c is null);
        for (int i = 0; i < all.Count; i++)
        {
            // One that ended by itself did so because its job was there already, was not there yet, or was cancelled.
            if (codes[i] is not null and not 0 and not 130 && !MayBe(all[i].Error))
                _ledger.Fault($"a process ended with {codes[i]}: {all[i].Error}");
            all[i].Dispose();
        }
    }

    private async Task<int?> KilledAsync(Victim victim, int? early, int lines, int most)
    {
        if (early is { } at)
            return await victim.EndWithinAsync(TimeSpan.FromMilliseconds(at));
        await victim.Said;
        return await victim.EndWithinAsync(TimeSpan.FromMilliseconds(most), _ledger.ReachedAsync(_ledger.Lines + lines));
    }

    private bool MayBe(string error) => error.Contains("is run by another process", StringComparison.Ordinal) || error.Contains("there is no jo", StringComparison.Ordinal) || error.Contains("there is nothing", StringComparison.Ordinal)
        // Who comes while the server is away is told so.
        || (_wasAway && error.Contains("PostgreSQL at 127.0.0.1", StringComparison.Ordinal)) || (journals.HasServer && error.Contains("There is no journal in", StringComparison.Ordinal));

    private async Task AuditAsync(string when)
    {
        await using (IJournalStorage store = Runtime.Open(_journal))
            await Audit.RunAsync(store, _ledger, KeyOf);
        _ledger.ThrowIfFaulty($"seed {seed}, {when}");
    }

    /// <summary>Lets all jobs of a generation end, and holds their streams to the ledger.</summary>
    private async Task EndAsync(string file, string[] ids, string when)
    {
        // What is sent from here on may come when the job has ended, and stays in its inbox then.
        Dictionary<string, int> due = ids.ToDictionary(id => id, Signals);
        _wasAway = false;
        // A run that was killed before it had stored its job has started none.
        Victim[] again = [.. ids.Select(id => Start("run", file, "--job-id", id, "--input", $"job={id}", "--input", $"port={_server.Port}", "--json"))];
        Task<int?>[] ended = [.. again.Select(v => v.EndWithinAsync(Patience))];
        await Task.WhenAll(again.Select(v => v.Said));
        // Some of them wait paused. A cancel that was accepted ends its job without that.
        _unsent.AddRange(ids[..^1].Select(id => (id, "last", """{"type":"resume"}""")));
        await SendAsync(Patience);
        for (int i = 0; i < Jobs; i++)
        {
            bool isCancelled = _ledger.IsAccepted(ids[i], "cancel");
            if (!isCancelled)
                _server.Open(ids[i]);
            if (await ended[i] is var code && code != (isCancelled ? 130 : 0))
                _ledger.Fault($"{ids[i]} ended with {code}: {again[i].Error}");
            again[i].Dispose();
        }
        await using IJournalStorage store = Runtime.Open(_journal);
        await Audit.RunAsync(store, _ledger, KeyOf);
        foreach (string id in ids)
        {
            JobHead head = (await store.FindAsync(JobId.Parse(id)))!;
            List<string> lines = [];
            await foreach (JobEvent e in StoredEvents.ReadAsync(store, head))
                lines.Add(e.ToJson());
            _ledger.Whole(id, lines);
            int signals = lines.Count(l => l.Contains($"\"kind\":\"signal\",\"job\":\"{id}\",", StringComparison.Ordinal));
            if (signals < due[id] || signals > Signals(id))
                _ledger.Fault($"{id} has {signals} signals in its stream, and {due[id]} to {Signals(id)} were accepted");
            _ended++;
        }
        _ledger.ThrowIfFaulty($"seed {seed}, {when}");

        int Signals(string id) => _ledger.CountAccepted(id, what => what is not "cancel");
    }

    private Victim Start(params string[] args) => Victim.StartCommand(journals.Home, [.. args, "--journal", _journal], line =>
    {
        if (!line.StartsWith("{\"seq\":", StringComparison.Ordinal))
            return;
        using JsonDocument read = JsonDocument.Parse(line);
        _ledger.Line(read.RootElement.GetProperty("job").GetString()!.Split('/')[0], read.RootElement.GetProperty("seq").GetInt64(), line);
    });

    /// <summary>What the task asks the server for.</summary>
    private static string? KeyOf(JobId job, JournalEntry entry) => entry.Subject is { } task ? $"{job.Value.Split('/')[0]}/{task.Replace('[', '-').Replace("]", "", StringComparison.Ordinal)}" : null;
}
