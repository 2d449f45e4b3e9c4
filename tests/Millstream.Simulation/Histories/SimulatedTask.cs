namespace Millstream.Simulation;

/// <summary>How attempts of one task behave.</summary>
internal sealed record TaskStyle(int MaxSteps, int Retryable, int Terminal, int Ignores, int Deltas)
{
    public static TaskStyle Random(Random random) => new(random.Next(5), random.Next(2) * random.Next(60), random.Next(4) == 0 ? random.Next(40) : 0, random.Next(4) == 0 ? random.Next(50) : 0, random.Next(2) * random.Next(4));
}

/// <summary>Makes tasks of a seed.</summary>
internal static class SimulatedTask
{
    private static readonly LabelSelector s_intel = LabelSelector.Parse("vendor = intel");

    public static AgentTask<int, int> Make(History history, int number)
    {
        Random random = history.Random;
        TaskStyle style = TaskStyle.Random(random);
        TaskPolicy policy = new()
        {
            Retry = new RetryPolicy { Attempts = 1 + random.Next(4), Delay = TimeSpan.FromMilliseconds(1 + random.Next(50)) },
            Timeout = random.Next(4) == 0 ? TimeSpan.FromMilliseconds(1 + random.Next(60)) : null,
        };
        return AgentTask.Create<int, int>($"t{number}", (input, context) => RunAsync(history, style, input, context), [.. Requirements(random).Select(r => Rated(r, history.Chance))], policy);
    }

    private static IReadOnlyList<ResourceRequirement> Requirements(Random random) => random.Next(12) switch
    {
        0 => [ResourceRequirement.Exclusive("browser")],
        1 => [ResourceRequirement.Exclusive("browser", s_intel)],
        2 => [ResourceRequirement.Exclusive("browser", amount: 2)],
        3 => [ResourceRequirement.Exclusive("browser"), ResourceRequirement.Exclusive("browser", s_intel, name: "second")],
        4 => [ResourceRequirement.Exclusive("browser"), ResourceRequirement.Exclusive("gpu")],
        5 => [ResourceRequirement.Units("tokens", 1 + random.Next(6))],
        6 => [ResourceRequirement.Exclusive("gpu"), ResourceRequirement.Units("tokens", 1 + random.Next(4))],
        _ => [],
    };

    private static ResourceRequirement Rated(ResourceRequirement need, Random chance) => need.Shared && chance.Next(4) > 0 ? need.WithRate("words", 1 + chance.Next(12)) : need;

    private static async Task<int> RunAsync(History history, TaskStyle style, int input, TaskContext context)
    {
        Random random = history.Random;
        Attempt attempt = history.Began((TaskAttempt)context, input);
        try
        {
            for (int step = random.Next(style.MaxSteps + 1); step > 0; step--)
            {
                for (int i = random.Next(style.Deltas + 1); i > 0; i--)
                    context.Delta(attempt.Output());
                if (random.Next(3) == 0)
                    await Task.Yield();
                else if (random.Next(100) < style.Ignores)
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20) == 0 ? 1000 : random.Next(30)), context.Time);
                else
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(30)), context.Time, attempt.Token());
                attempt.GoesOn();
                attempt.Send();
            }
            attempt.Send();
            if (random.Next(4) == 0 && attempt.Lease is { } lease)
            {
                attempt.GivesBack = true;
                await lease.DisposeAsync();
            }
            if (random.Next(100) < style.Retryable)
                throw random.Next(2) == 0 ? new InvalidOperationException("retryable") : new RetryableTaskException("later", TimeSpan.FromMilliseconds(random.Next(40)));
            if (random.Next(100) < style.Terminal)
                throw new TerminalTaskException("terminal");
            return attempt.Result();
        }
        finally
        {
            attempt.Ended();
            if (style.Deltas > 0)
                attempt.Schedule(() => context.Delta(attempt.Output()));
        }
    }
}
