using System.Globalization;

namespace Millstream;

/// <summary>A command was called in a way that it does not know; the message says what to do.</summary>
internal sealed class BenchUsageException(string message) : Exception(message);

/// <summary>Reads what `./bench psplib` is called with.</summary>
internal static class PsplibArguments
{
    private const string Usage = """
        ./bench psplib --instances DIR --best CSV [--durations known|unknown|noisy:SIGMA] [--rule RULE] [--look-ahead MS] [--seed N] [--only SET] [--json]
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
        PsplibSettings settings = new();
        for (int i = 0; i < arguments.Length; i++)
        {
            string option = arguments[i];
            if (option == "--json")
            {
                settings = settings with { IsJson = true };
                continue;
            }
            string value = i + 1 < arguments.Length ? arguments[++i] : throw Wrong($"'{option}' is no option, or lacks its value");
            settings = option switch
            {
                "--instances" => settings with { Instances = Directory.Exists(value) ? value : throw Wrong($"--instances {value}: there is no such folder") },
                "--best" => settings with { Best = File.Exists(value) ? value : throw Wrong($"--best {value}: there is no such file") },
                "--durations" => settings with { Known = KnownDurations.Parse(value) ?? throw Wrong($"--durations {value}: give known, unknown or noisy:SIGMA, as in noisy:0.6") },
                "--rule" => settings with { Rule = Rules.TryGetValue(value, out OrderRule rule) ? rule : throw Wrong($"--rule {value}: there are {string.Join(", ", Rules.Keys)}") },
                "--look-ahead" => settings with { LookAhead = TimeSpan.FromMilliseconds(Number(option, value, 60_000)) },
                "--seed" => settings with { Seed = Number(option, value, int.MaxValue) },
                "--jobs" => settings with { Jobs = Number(option, value, 100_000) },
                "--only" => settings with { Only = value },
                _ => throw Wrong($"there is no option '{option}'"),
            };
        }
        if (settings.Instances == "")
            throw Wrong("--instances is required: a folder with instances of PSPLIB");
        if (settings.Best == "" && settings.Jobs == 0)
            throw Wrong("--best is required: a CSV of the best known makespans, or --jobs for many jobs at once");
        if (settings.LookAhead > TimeSpan.Zero && (settings.Rule != OrderRule.Engine || !settings.Known.AreKnown))
            throw Wrong("--look-ahead needs --rule engine and durations that are known or noisy");
        return settings;
    }

    private static int Number(string option, string value, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= most ? number : throw Wrong($"{option} {value}: give a whole number from 0 to {most}");

    private static BenchUsageException Wrong(string fault) => new($"{fault}\n{Usage}");
}
