using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Millstream;

/// <summary>What the headers of a response say of limits.</summary>
internal sealed partial record LlmHeaders
{
    // A reset that lies further off is that of a day's or a month's budget, or nonsense: the endpoint is asked again before.
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>The most requests in a minute.</summary>
    public long? Requests { get; init; }

    /// <summary>The most tokens in a minute.</summary>
    public long? Tokens { get; init; }

    /// <summary>How long the server asks to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static LlmHeaders Read(HttpResponseMessage response, DateTimeOffset now)
    {
        HttpResponseHeaders headers = response.Headers;
        // Times of the server are read by its own clock.
        DateTimeOffset there = headers.Date ?? now;
        return new LlmHeaders
        {
            Requests = Number(headers, "x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit"),
            Tokens = Number(headers, "x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit") ?? SumOfAnthropic(headers),
            RetryAfter = Bounded(Milliseconds(headers) ?? After(headers.RetryAfter, there) ?? Reset(headers, there)),
        };
    }

    /// <summary>A time as these headers write it: <c>1m30s</c>, <c>120ms</c>, <c>6.5s</c>, seconds, or an instant.</summary>
    public static TimeSpan? Time(string text, DateTimeOffset now)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds))
            return Seconds(seconds);
        if (Duration().Match(text) is { Success: true } match)
        {
            double sum = 0;
            for (int i = 0; i < match.Groups["value"].Captures.Count; i++)
            {
                double value = double.Parse(match.Groups["value"].Captures[i].ValueSpan, CultureInfo.InvariantCulture);
                sum += value * match.Groups["unit"].Captures[i].Value switch { "d" => 86400, "h" => 3600, "m" => 60, "s" => 1, _ => 0.001 };
            }
            return Seconds(sum);
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) ? at - now : null;
    }

    private static TimeSpan? Seconds(double seconds) => seconds is >= 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : null;

    private static TimeSpan? Bounded(TimeSpan? time) => time is not { } wait ? null : wait < TimeSpan.Zero ? TimeSpan.Zero : wait;

    private static TimeSpan? Milliseconds(HttpResponseHeaders headers) =>
        Text(headers, "retry-after-ms") is { } text && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? Seconds(value / 1000) : null;

    private static TimeSpan? After(RetryConditionHeaderValue? header, DateTimeOffset there) => header?.Delta ?? (header?.Date is { } date ? date - there : null);

    // Of the budgets that are used up the one that comes back last; where none says that it is, nothing is known.
    private static TimeSpan? Reset(HttpResponseHeaders headers, DateTimeOffset there)
    {
        TimeSpan? longest = null;
        foreach ((string remaining, string reset) in Budgets)
        {
            if (Number(headers, remaining) == 0 && Text(headers, reset) is { } text && Time(text, there) is { } time && time <= Longest && !(time <= longest))
                longest = time;
        }
        return longest;
    }

    private static IEnumerable<(string Remaining, string Reset)> Budgets
    {
        get
        {
            foreach (string kind in (string[])["requests", "tokens", "input-tokens", "output-tokens"])
            {
                yield return ($"x-ratelimit-remaining-{kind}", $"x-ratelimit-reset-{kind}");
                yield return ($"anthropic-ratelimit-{kind}-remaining", $"anthropic-ratelimit-{kind}-reset");
            }
        }
    }

    private static long? SumOfAnthropic(HttpResponseHeaders headers) =>
        Number(headers, "anthropic-ratelimit-input-tokens-limit") is { } input && Number(headers, "anthropic-ratelimit-output-tokens-limit") is { } output ? input + output : null;

    private static long? Number(HttpResponseHeaders headers, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (Text(headers, name) is { } text && long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long number) && number >= 0)
                return number;
        }
        return null;
    }

    private static string? Text(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    [GeneratedRegex(@"^(?:(?<value>[0-9]+(?:\.[0-9]+)?)(?<unit>ms|d|h|m|s))+\z")] private static partial Regex Duration();
}
