using System.Globalization;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Disk;

/// <summary>
/// The power goes while a journal is written: of what was not synced nothing is left, or some calls, or some sectors. A kill of the process proves
/// nothing here, since the system's cache outlives it.
/// </summary>
public sealed class PowerCutTests : IDisposable
{
    private readonly string _folder = FastFolder.Make();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Store_PowerCutAnywhere_KeepsWhatItAcknowledged()
    {
        List<DiskStep> steps = await TraceAsync("store", "1", "full");
        Assert.True(steps.Count(s => s.Kind == DiskCall.Sync) > 60 && steps.Any(s => s.Kind == DiskCall.Unlink && s.Path.EndsWith("-wal", StringComparison.Ordinal)), "the shim did not see SQLite's calls");
        (List<string> faults, int sure) = await CutAsync(steps, 80);
        Assert.Empty(faults);
        Assert.True(sure > 5_000, $"only {sure} acknowledgements were checked");
    }

    [Fact]
    public async Task Store_ThatDoesNotSyncEachCommit_IsFound()
    {
        (List<string> faults, _) = await CutAsync(await TraceAsync("store", "1", "careless"), 20);
        Assert.Contains(faults, f => f.Contains("was acknowledged and is lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Jobs_PowerCutAnywhere_KeepWhatWasShownAndAccepted()
    {
        List<DiskStep> steps = await TraceAsync("jobs");
        Random random = new(2);
        int shown = 0;
        foreach (int cut in Cuts(steps.Count, 40, random))
        {
            string image = Path.Combine(_folder, "image");
            (Ledger ledger, DiskModel disk) = (new Ledger(), new DiskModel(Root));
            foreach (DiskStep step in steps.Take(cut))
                Do(disk, ledger, step);
            disk.CutPower(image, (Loss)random.Next(3), random);
            if (File.Exists(Path.Combine(image, "journal.db")) || ledger.Lines > 0)
                shown += await CheckAsync(Path.Combine(image, "journal.db"), ledger, goesOn: cut % 8 == 0);
            ledger.ThrowIfFaulty($"power cut after call {cut} of {steps.Count}");
            Directory.Delete(image, recursive: true);
        }
        Assert.True(shown > 1_000, $"only {shown} lines were checked");
    }

    private string Root => Path.Combine(_folder, "disk");

    private static void Do(DiskModel disk, Ledger ledger, DiskStep step)
    {
        if (step.Kind != DiskCall.Mark)
        {
            disk.Do(step);
            return;
        }
        string[] words = step.Text.Split(' ', 4);
        if (words[0] == "line")
            ledger.Line(words[1], long.Parse(words[2], CultureInfo.InvariantCulture), words[3]);
        else if (words[0] == "told")
            ledger.Accept(words[1], words[2]);
    }

    private static async Task<int> CheckAsync(string journal, Ledger ledger, bool goesOn)
    {
        await using IJournalStorage store = Runtime.Open(journal);
        IReadOnlyList<JobHead> heads = await Audit.RunAsync(store, ledger, Audit.KeyOf);
        foreach (JobHead head in heads.Where(h => !h.Id.IsChild))
        {
            List<string> lines = await Audit.LinesAsync(store, head);
            for (int i = 0; i < lines.Count; i++)
                ledger.Line(head.Id.Value, i + 1, lines[i]);
        }
        for (int i = 0; i < 6; i++)
        {
            string id = Runtime.Id(i).Value;
            if (ledger.IsAccepted(id, "created") && heads.All(h => h.Id.Value != id))
                ledger.Fault($"job {id} is gone");
        }
        int shown = ledger.Lines;
        if (!goesOn)
            return shown;
        await using AgentOrchestrator orchestrator = Runtime.Make(store, (key, _) => ledger.Effect(key));
        await orchestrator.StartAsync();
        foreach (JobHead head in heads.Where(h => !h.Id.IsChild))
        {
            Job job = (await orchestrator.GetJobAsync(head.Id))!;
            await Teller.TellAsync(job, _ => { });
            if (await job.Ending is not JobEnding.Completed { Output: var output })
                ledger.Fault($"{head.Id} ended otherwise: {await job.Ending}");
            List<string> stream = await Audit.LinesAsync(store, (await store.FindAsync(head.Id))!);
            ledger.Whole(head.Id.Value, stream);
            for (int i = 1; i <= PlanAgent.Signals; i++)
            {
                int count = stream.Count(l => l.Contains($"\"kind\":\"signal\",\"job\":\"{head.Id}\",\"type\":\"String\",\"data\":\"signal {i}\"", StringComparison.Ordinal));
                if (count != 1)
                    ledger.Fault($"signal {i} is {count} times in the stream of {head.Id}");
            }
        }
        return shown;
    }

    private async Task<List<DiskStep>> TraceAsync(string mode, params string[] args)
    {
        Directory.CreateDirectory(Root);
        string trace = Path.Combine(_folder, "trace");
        await Shim.RunAsync([mode, trace, Root, .. args]);
        return DiskStep.Read(trace);
    }

    /// <summary>Cuts the power at some calls, and checks what is left.</summary>
    private async Task<(List<string> Faults, int Sure)> CutAsync(List<DiskStep> steps, int cuts)
    {
        List<string> faults = [];
        Random random = new(1);
        int sure = 0;
        foreach (int cut in Cuts(steps.Count, cuts, random))
        {
            string image = Path.Combine(_folder, "image");
            (StoreLedger ledger, DiskModel disk) = (new StoreLedger(), new DiskModel(Root));
            foreach (DiskStep step in steps.Take(cut))
            {
                if (step.Kind == DiskCall.Mark)
                    ledger.Note(step.Text);
                else
                    disk.Do(step);
            }
            var loss = (Loss)random.Next(3);
            disk.CutPower(image, loss, random);
            sure += ledger.Sure;
            if (ledger.Sure > 0 || File.Exists(Path.Combine(image, "a", "b", "journal.db")))
                faults.AddRange((await ledger.CheckAsync(Path.Combine(image, "a", "b", "journal.db"))).Select(f => $"cut after call {cut} of {steps.Count}, {loss} lost: {f}"));
            Directory.Delete(image, recursive: true);
        }
        return (faults, sure);
    }

    /// <summary>Half of them among the first calls, where the files are made.</summary>
    private static IEnumerable<int> Cuts(int steps, int cuts, Random random) =>
        Enumerable.Range(0, cuts).Select(i => i % 4 == 0 ? random.Next(1, Math.Min(200, steps)) : random.Next(1, steps + 1)).Append(steps);
}
