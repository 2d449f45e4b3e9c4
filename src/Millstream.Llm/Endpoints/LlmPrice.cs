using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>What a model costs, in US dollars for a million tokens.</summary>
/// <param name="InputPerMillion">Tokens in.</param>
/// <param name="OutputPerMillion">Tokens out, those of reasoning among them.</param>
/// <param name="CachedInputPerMillion">Tokens in that the server had in its cache; null for the price of the others.</param>
public sealed record LlmPrice(decimal InputPerMillion, decimal OutputPerMillion, decimal? CachedInputPerMillion = null)
{
    // The longest prefix counts, so that gpt-4o-mini-2024-07-18 is a gpt-4o-mini; behind it must come the end, '-' and a digit, or '-latest'.
    private static readonly (string Model, LlmPrice Price)[] Known =
    [
        ("gpt-5", new(1.25m, 10m, 0.125m)),
        ("gpt-5-mini", new(0.25m, 2m, 0.025m)),
        ("gpt-5-nano", new(0.05m, 0.40m, 0.005m)),
        ("gpt-4.1", new(2m, 8m, 0.50m)),
        ("gpt-4.1-mini", new(0.40m, 1.60m, 0.10m)),
        ("gpt-4.1-nano", new(0.10m, 0.40m, 0.025m)),
        ("gpt-4o", new(2.50m, 10m, 1.25m)),
        ("gpt-4o-mini", new(0.15m, 0.60m, 0.075m)),
        ("o3", new(2m, 8m, 0.50m)),
        ("o4-mini", new(1.10m, 4.40m, 0.275m)),
        ("claude-opus-4-5", new(5m, 25m, 0.50m)),
        ("claude-opus-4-1", new(15m, 75m, 1.50m)),
        ("claude-sonnet-4-5", new(3m, 15m, 0.30m)),
        ("claude-sonnet-4", new(3m, 15m, 0.30m)),
        ("claude-haiku-4-5", new(1m, 5m, 0.10m)),
        ("claude-3-5-haiku", new(0.80m, 4m, 0.08m)),
    ];

    /// <summary>
    /// The list price of a well-known model, or null. Of the price pages of OpenAI (platform.openai.com/docs/pricing, standard tier) and Anthropic
    /// (docs.claude.com, about-claude/pricing) as they stood at the end of 2025, without surcharges for long contexts, writes to a cache or tools. Prices
    /// change: what a bill must be held to is set as <see cref="LlmEndpoint.Price"/>.
    /// </summary>
    /// <param name="model">The model's name, with or without a date.</param>
    public static LlmPrice? Of(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Known.Where(k => IsOne(model, k.Model)).OrderByDescending(k => k.Model.Length).FirstOrDefault().Price;
    }

    /// <summary>What a call cost, in US dollars.</summary>
    /// <param name="usage">Its tokens; of those in, what was cached is a part.</param>
    public decimal CostOf(UsageDetails usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        long input = usage.InputTokenCount ?? 0, cached = Math.Min(usage.CachedInputTokenCount ?? 0, input);
        return ((input - cached) * InputPerMillion + cached * (CachedInputPerMillion ?? InputPerMillion) + (usage.OutputTokenCount ?? 0) * OutputPerMillion) / 1_000_000m;
    }

    private static bool IsOne(string model, string known) => model.StartsWith(known, StringComparison.OrdinalIgnoreCase)
        && model.AsSpan(known.Length) is var rest && (rest.Length == 0 || rest is "-latest" || (rest.Length >= 7 && rest[0] is ('-' or '@') && char.IsAsciiDigit(rest[1])));
}
