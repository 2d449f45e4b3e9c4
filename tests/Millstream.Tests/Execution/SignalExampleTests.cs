namespace Millstream.Tests;

internal sealed record Visit(string Name, bool IsLast = false);                   // a signal

internal sealed class Door : Agent<string, int, string, Visit>                    // input, output, events, signals
{
    protected override async Task<int> RunCoreAsync(string greeting, AgentContext<string, Visit> context)
    {
        for (int visits = 1; ; visits++)
        {
            Visit visit = await context.Signals.NextAsync();                      // takes the next one, when it is there
            context.Emit($"{greeting}, {visit.Name}");
            if (visit.IsLast)
                return visits;
        }
    }
}

/// <summary>The example of docs/architecture.md, which is the code above.</summary>
public sealed class SignalExampleTests
{
    [Fact]
    public void Page_ShowsThisCode()
    {
        string page = House.Repository.Read("docs/architecture.md");
        int from = page.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        string example = page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
        Assert.Contains(example, House.Repository.Read("tests/Millstream.Tests/Execution/SignalExampleTests.cs"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Door_TakesSignalsInTheirOrder()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<int, string, Visit> job = await orchestrator.CreateJobAsync(new Door(), "Hello");
        await job.SignalAsync(new Visit("Ada"));
        await job.SignalAsync(new Visit("Grace", IsLast: true));
        Assert.Equal(2, await job.Completion);
        Assert.Equal(["Hello, Ada", "Hello, Grace"], await job.StreamAsync().ToArrayAsync());
    }
}
