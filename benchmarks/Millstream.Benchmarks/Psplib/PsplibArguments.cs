using System.Globalization;

namespace Millstream;

/// <summary>Reads what `./bench psplib` is called with.</summary>
internal static class PsplibArguments
{
    private const string Usage = """
        usage: ./bench psplib --instances DIR --best CSV [--durations known|unknown|noisy:SIGMA] [--rule RULE] [--look-ahead MS] [--seed N] [--only SET] [--json]
               ./bench psplib --instances DIR --jobs N [--only SET] [--seed N] [--json]
        RULE: engine (what the runtime does), or to compare with fifo-blocking, fifo, most-successors, latest-finish
        """;

    private static readonly Dictionary<string, OrderRule> Rules = new()
    {
        ["engine"] = OrderRule.Engine,
        ["fifo-blocking"] = OrderRule.BlockingFifo,
        ["fifo"] = OrderRule.Fifo,
        ["most-successors"] = OrderRule.MostSuccessors,
        ["latest-finish"] = OrderRule.LatestFinish,
    };

    public static string Name(OrderRule rule) => Rules.First(r => r.Value == rule).Key;

    /// <exception cref="BenchUsageException">They are wrong.</exception>
    public static PsplibSettings Read(string[] arguments)
    {
        BenchOptions options = new(Usage, arguments, ["--json"], ["--instances", "--best", "--durations", "--rule", "--look-ahead", "--seed", "--only", "--jobs"]);
        PsplibSettings settings = new()
        {
            Instances = options.Folder("--instances", "the folder with instances of PSPLIB, as .sm files"),
            Best = options["--best"] is not { } best ? "" : File.Exists(best) ? best : throw options.Wrong($"--best {best}: there is no such file"),
            LookAhead = TimeSpan.FromMilliseconds(Number(options, "--look-ahead", 0, 60_000)),
            Seed = Number(options, "--seed", 1, int.MaxValue),
            Jobs = Number(options, "--jobs", 0, 100_000),
            Only = options["--only"],
            IsJson = options.Has("--json"),
        };
        if (options["--durations"] is { } durations)
            settings = settings with { Known = KnownDurations.Parse(durations) ?? throw options.Wrong($"--durations {durations}: give known, unknown or noisy:SIGMA, as in noisy:0.6") };
        if (options["--rule"] is { } name)
            settings = settings with { Rule = Rules.TryGetValue(name, out OrderRule rule) ? rule : throw options.Wrong($"--rule {name}: there are {string.Join(", ", Rules.Keys)}") };
        if (settings.Best == "" && settings.Jobs == 0)
            throw options.Wrong("--best is required: a CSV of the best known makespans, or --jobs for many jobs at once");
        if (settings.LookAhead > TimeSpan.Zero && (settings.Rule != OrderRule.Engine || !settings.Known.AreKnown))
            throw options.Wrong("--look-ahead needs --rule engine and durations that are known or noisy");
        return settings;
    }

    private static int Number(BenchOptions options, string option, int otherwise, int most) => options[option] is not { } value ? otherwise
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= most ? number
        : throw options.Wrong($"{option} {value}: give a whole number from 0 to {most}");
}
