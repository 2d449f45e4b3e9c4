using System.Globalization;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Golden;

/// <summary>What stories are made of.</summary>
internal static class GoldenParts
{
    /// <summary>The world that the tasks see. Stories happen one at a time.</summary>
    public static GoldenWorld World { get; set; } = new();

    public static GoldenAgent Child { get; } = new("golden-child", async (input, c) =>
    {
        c.Emit($"child: {input}");
        switch (input)
        {
            case "bad":
                throw new InvalidOperationException("as asked");
            case "endless":
                return await c.RunAsync(Task("endless"), "");
            case "asks":
                return (await c.AskAsync(new Proceed("child?"))).ToString();
            default:
                return await c.RunAsync(Task("echo"), input);
        }
    });

    public static AgentTask<string, string> Task(string id, int attempts = 1, bool atMostOnce = false) => AgentTask.Create<string, string>(id, async (input, context) =>
    {
        switch (id)
        {
            case "broken":
                throw new TerminalTaskException("never works");
            case "endless":
                await System.Threading.Tasks.Task.Delay(Timeout.InfiniteTimeSpan, context.Time, context.CancellationToken);
                return "";
            case "gate":
                await World.PassAsync("gate", context);
                return input;
            case "work":
                context.Delta($"{input} é at work");
                context.Delta(new byte[] { 0xFF, 0x00 }, "bytes");
                return input.StartsWith("flaky", StringComparison.Ordinal) && context.Attempt == 1 ? throw new InvalidDataException("once") : input.ToUpper(CultureInfo.InvariantCulture);
            default:
                return input;
        }
    }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = attempts, Delay = TimeSpan.FromMilliseconds(1) }, AtMostOnce = atMostOnce });
}
