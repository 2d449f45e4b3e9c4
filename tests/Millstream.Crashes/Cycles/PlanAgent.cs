using System.Globalization;

namespace Millstream.Crashes.Cycles;

/// <summary>A question of the jobs here.</summary>
internal sealed record Proceed(string What) : Question<bool>;

/// <summary>A job that does a little of everything; its tasks tell whoever counts how often each was run.</summary>
/// <param name="effect">Called by each attempt with its idempotency key and its number.</param>
internal sealed class PlanAgent(Action<string, int> effect) : Agent<string, string, string, string>
{
    /// <summary>How many signals it waits for.</summary>
    public const int Signals = 2;

    private readonly AgentTask<string, string> _work = Work(effect);

    public override string Id => "plan";

    protected override async Task<string> RunCoreAsync(string input, AgentContext<string, string> context)
    {
        context.Emit($"began {input}: {context.NewId()}");
        List<string> parts = [await context.RunAsync(_work, "first")];
        Task<string> helper = context.RunAsync(new HelperAgent(effect), input);
        parts.AddRange(await context.RunAllAsync(_work, ["a", "flaky b", "c"]));
        for (int i = 0; i < 3; i++)
        {
            parts.Add(await context.RunAsync(_work, string.Create(CultureInfo.InvariantCulture, $"step {i}")));
            context.Emit($"é 漢字 🙂 \"{parts.Count}\"");
            await context.DelayAsync(TimeSpan.FromMilliseconds(2));
        }
        bool go = await context.AskAsync(new Proceed("on?"));
        for (int heard = 0; heard < Signals;)
        {
            await context.Signals.WaitToReadAsync();
            while (context.Signals.TryRead(out string? signal))
            {
                heard++;
                parts.Add(signal);
            }
        }
        parts.Add(await context.RunAsync(_work, "last"));
        parts.Add(await helper);
        return $"{go}: {string.Join(", ", parts)}";
    }

    private static AgentTask<string, string> Work(Action<string, int> effect) => AgentTask.Create<string, string>("work", async (input, context) =>
    {
        effect(context.IdempotencyKey, context.Attempt);
        context.Delta($"{input} at work");
        await Task.Delay(TimeSpan.FromMilliseconds(1), context.Time);
        return input.StartsWith("flaky", StringComparison.Ordinal) && context.Attempt == 1 ? throw new InvalidDataException("once") : input.ToUpperInvariant();
    }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 100, Delay = TimeSpan.FromMilliseconds(1) } });

    /// <summary>Its child.</summary>
    internal sealed class HelperAgent(Action<string, int> effect) : Agent<string, string, string, string>
    {
        private readonly AgentTask<string, string> _work = Work(effect);

        public override string Id => "helper";

        protected override async Task<string> RunCoreAsync(string input, AgentContext<string, string> context)
        {
            context.Emit($"helps {input}");
            string one = await context.RunAsync(_work, "one");
            await context.DelayAsync(TimeSpan.FromMilliseconds(5));
            return $"{one} {await context.RunAsync(_work, "two")}";
        }
    }
}
