using System.Globalization;
using System.Text.Json;

namespace Millstream;

/// <summary>The same work done by Millstream and by others, in turn, in one run: <c>./bench peers [--only NAME] [--json]</c>.</summary>
internal static class PeersBench
{
    private const string Usage = "usage: ./bench peers [--only NAME] [--json]";

    private const string Footer =
        """
        theirs/ours: the median of the ratios of five rounds. Both sides are warmed up and their outcomes checked.
        Left out: Temporal, whose .NET SDK needs a server that cannot be assumed; a bare Playwright page, since nothing here opens pages yet.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        BenchOptions options = new(Usage, args, ["--json"], ["--only"]);
        string? only = options["--only"];
        PeerGroup[] groups = [.. InMemoryPeers.Groups(), .. DelayPeers.Groups(), EventPeers.Group(), .. PhysicalLines.Groups(), LangGraphPeer.Group(), DbosPeer.Group()];
        if (!groups.SelectMany(g => g.Lines).Any(l => l.Matches(only)))
            throw options.Wrong($"no case or peer is named '{only}'\n  cases: {Names(l => l.Case)}\n  peers: {Names(l => l.Peer)}");

        Report report = new(options.Has("--json"));
        report.Begin();
        foreach (PeerGroup group in groups)
            await RunAsync(group, only, report);
        report.Note(Footer);
        return report.Missed == 0 ? 0 : 1;

        string Names(Func<PeerLine, string> name) => string.Join("; ", groups.SelectMany(g => g.Lines).Select(name).Distinct());
    }

    private static async Task RunAsync(PeerGroup group, string? only, Report report)
    {
        List<PeerLine> lines = [.. group.Lines.Where(l => l.Matches(only))];
        if (lines.Count == 0)
            return;
        string names = string.Join(", ", lines.Select(l => l.Peer).Distinct());
        if (group.Missing is { } missing)
        {
            report.Note($"{names}: left out, since {missing}");
            return;
        }
        Rounds rounds = new(new Measure(TextWriter.Null), group.WarmUp, group.Least);
        foreach (PeerRun run in lines.SelectMany(l => (PeerRun[])[l.Ours, l.Theirs]).DistinctBy(r => r.Name))
            rounds[run.Name] = run.Run;
        try
        {
            await rounds.RunAsync();
        }
        catch (PeerMissingException e)
        {
            report.Note($"{names}: left out, since {e.Message}");
            return;
        }
        finally
        {
            await group.EndAsync();
        }
        foreach (PeerLine line in lines)
            report.Say(line, rounds.Median(line.Ours.Name), rounds.Median(line.Theirs.Name), rounds.Ratio(line.Theirs.Name, line.Ours.Name));
    }

    /// <summary>Lines for people, or with <c>--json</c> lines for programs on stdout and what else is to be said on stderr.</summary>
    private sealed class Report(bool json)
    {
        public int Missed { get; private set; }

        public void Begin()
        {
            if (json)
                return;
            Console.WriteLine(Measure.Machine);
            Console.WriteLine($"{"case",-40} {"peer",-32} {"ours",11} {"theirs",11} {"",-5} {"theirs/ours",11}");
        }

        public void Note(string text) => (json ? Console.Error : Console.Out).WriteLine(text);

        public void Say(PeerLine line, double ours, double theirs, double ratio)
        {
            bool missed = ratio < line.AtLeast;
            if (missed)
                Missed++;
            if (json)
                Console.WriteLine(JsonSerializer.Serialize(new { @case = line.Case, peer = line.Peer, ours, theirs, unit = line.Unit, ratio }));
            else
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line.Case,-40} {line.Peer,-32} {ours,11:N2} {theirs,11:N2} {line.Unit,-5} {ratio,10:N2}x {Target(line.AtLeast, missed)}").TrimEnd());
        }

        // Below 1 it bounds what ours costs over theirs, and is said so.
        private static string Target(double? atLeast, bool missed) => atLeast is not { } target ? ""
            : string.Create(CultureInfo.InvariantCulture, $" {(target >= 1 ? $"at least {target:0.##}x" : $"ours at most {1 / target:0.##}x of theirs")}: {(missed ? "MISSED" : "ok")}");
    }
}
