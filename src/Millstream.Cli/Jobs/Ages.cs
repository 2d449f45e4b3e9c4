using System.Globalization;
using Millstream.Definitions;

namespace Millstream.Cli.Jobs;

/// <summary>Points in time as users write them: how long ago, or a date.</summary>
internal static class Ages
{
    public static DateTimeOffset Before(string text, string option) => Units.TryDuration(text, out TimeSpan ago) ? DateTimeOffset.UtcNow - ago
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset time) ? time
        : throw new CommandException($"{option} is '{text}'; write how long ago, as 90m, 12h or 30d, or a time, as 2026-11-25 or 2026-11-25T10:00:00Z", ExitCode.Usage);
}
