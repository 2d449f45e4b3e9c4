namespace Millstream.Llm.Tests.Endpoints;

public sealed class LlmHeadersTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("retry-after-ms: 250 | Retry-After: 9", 0.25)]
    [InlineData("Retry-After: 9 | x-ratelimit-remaining-requests: 0 | x-ratelimit-reset-requests: 1s", 9.0)]
    [InlineData("Retry-After: Tue, 01 Jan 2030 00:00:30 GMT", 30.0)]
    [InlineData("Date: Tue, 01 Jan 2030 01:00:00 GMT | Retry-After: Tue, 01 Jan 2030 01:00:04 GMT", 4.0)]
    [InlineData("Retry-After: Mon, 31 Dec 2029 23:00:00 GMT", 0.0)]
    [InlineData("x-ratelimit-remaining-requests: 0 | x-ratelimit-reset-requests: 1m30s | x-ratelimit-remaining-tokens: 5 | x-ratelimit-reset-tokens: 3m", 90.0)]
    [InlineData("x-ratelimit-remaining-requests: 0 | x-ratelimit-reset-requests: 20ms | x-ratelimit-remaining-tokens: 0 | x-ratelimit-reset-tokens: 6.5s", 6.5)]
    [InlineData("anthropic-ratelimit-input-tokens-remaining: 0 | anthropic-ratelimit-input-tokens-reset: 2030-01-01T00:00:12Z", 12.0)]
    [InlineData("x-ratelimit-remaining-requests: 0 | x-ratelimit-reset-requests: 24h0m0s", null)]
    [InlineData("x-ratelimit-reset-requests: 5s", null)]
    [InlineData("Retry-After: soon", null)]
    public void RetryAfter_OfHeaders_IsTheirTime(string headers, double? seconds) => Assert.Equal(seconds, Read(headers).RetryAfter?.TotalSeconds);

    [Theory]
    [InlineData("x-ratelimit-limit-requests: 500 | x-ratelimit-limit-tokens: 30000", 500L, 30000L)]
    [InlineData("anthropic-ratelimit-requests-limit: 50 | anthropic-ratelimit-input-tokens-limit: 30000 | anthropic-ratelimit-output-tokens-limit: 8000", 50L, 38000L)]
    [InlineData("anthropic-ratelimit-tokens-limit: 40000 | anthropic-ratelimit-input-tokens-limit: 30000", null, 40000L)]
    [InlineData("x-ratelimit-limit-requests: many", null, null)]
    public void Limits_OfHeaders_AreThoseOfAMinute(string headers, long? requests, long? tokens) => Assert.Equal((requests, tokens), (Read(headers).Requests, Read(headers).Tokens));

    private static LlmHeaders Read(string headers)
    {
        using HttpResponseMessage response = new();
        foreach (string header in headers.Split(" | "))
            response.Headers.TryAddWithoutValidation(header[..header.IndexOf(':', StringComparison.Ordinal)], header[(header.IndexOf(':', StringComparison.Ordinal) + 2)..]);
        return LlmHeaders.Read(response, Now);
    }
}
