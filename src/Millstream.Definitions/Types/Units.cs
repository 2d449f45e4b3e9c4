using System.Globalization;
using System.Text.RegularExpressions;

namespace Millstream.Definitions;

/// <summary>Durations (<c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h30m</c>) and sizes (<c>64KiB</c>, <c>512MiB</c>).</summary>
internal static partial class Units
{
    /// <summary>Why a text is no duration, to be put behind its name; null where it is one.</summary>
    public static string? DurationFault(string text) => TryDuration(text, out _) ? null
        : IsDuration(text) ? "must be a duration from 1ms to 366d"
        : "must be a duration such as 500ms, 30s, 5m or 1h30m";

    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (!IsDuration(text))
            return false;
        Match match = DurationPattern().Match(text);
        double ms = Part(match, "d", 86_400_000) + Part(match, "h", 3_600_000) + Part(match, "m", 60_000) + Part(match, "s", 1000) + Part(match, "ms", 1);
        if (ms is <= 0 or > 366 * 86_400_000.0)
            return false;
        duration = TimeSpan.FromMilliseconds(ms);
        return true;
    }

    private static bool IsDuration(string text) => text.Length > 0 && DurationPattern().IsMatch(text);

    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        Match match = SizePattern().Match(text);
        if (!match.Success || !long.TryParse(match.Groups["n"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long count))
            return false;
        int shift = match.Groups["u"].Value switch { "KiB" => 10, "MiB" => 20, "GiB" => 30, _ => 0 };
        if (count > long.MaxValue >> shift)
            return false;
        bytes = count << shift;
        return true;
    }

    private static double Part(Match match, string name, double unit) =>
        match.Groups[name].Success ? double.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture) * unit : 0;

    [GeneratedRegex(@"^((?<d>[0-9]{1,18})d)?((?<h>[0-9]{1,18})h)?((?<m>[0-9]{1,18})m)?((?<s>[0-9]{1,18})s)?((?<ms>[0-9]{1,18})ms)?\z")]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"^(?<n>[0-9]{1,18})(?<u>B|KiB|MiB|GiB)?\z")]
    private static partial Regex SizePattern();
}
