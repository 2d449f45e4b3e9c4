namespace Millstream.Llm.Tests.Protocols;

/// <summary>An endpoint's connections in a test: each request carries the test's name, and the first ones ask for faults.</summary>
internal sealed class TestTraffic(string test, params string?[] faults) : DelegatingHandler(LlmHttpHandler.Connections())
{
    private int _count;

    /// <summary>How many requests were made.</summary>
    public int Count => Volatile.Read(ref _count);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        int number = Interlocked.Increment(ref _count);
        request.Headers.TryAddWithoutValidation("X-Test-Id", test);
        if (number <= faults.Length && faults[number - 1] is { } fault)
            request.Headers.TryAddWithoutValidation($"x-aimock-chaos-{fault}", "1");
        return base.SendAsync(request, cancellationToken);
    }
}
