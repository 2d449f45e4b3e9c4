using Millstream;
using Millstream.PostgreSql.Tests;

// ./bench [engine] [events] [fleet] [durable] [journal] [llm] [postgresql] [sandbox] [scheduler] [waiting] [--only TEXT]: all of them when none is named; `agents` and `long` only when they are. With --only
// the cases whose names have the text. Exit code 1 when a bound is missed.
string[] known = ["engine", "events", "fleet", "durable", "journal", "llm", "postgresql", "sandbox", "scheduler", "waiting", "agents", "long"];
string? only = null;
// Commands with options of their own; each gets the arguments behind its name.
Dictionary<string, Func<string[], Task<int>>> commands = new()
{
    [ModelServer.Command] = ModelServer.RunAsync,
    ["peers"] = PeersBench.RunAsync,
    [GrowthCommand.Name] = GrowthCommand.RunAsync,
    ["psplib"] = PsplibBench.RunAsync,
    ["wfinstances"] = TracesCommand.RunAsync,
};
if (args is [var name, ..] && commands.TryGetValue(name, out Func<string[], Task<int>>? command))
{
    try
    {
        return await command(args[1..]);
    }
    catch (Exception e) when (e is BenchUsageException or IOException or UnauthorizedAccessException)
    {
        Console.Error.WriteLine($"bench {name}: {e.Message}");
        return 2;
    }
}
if (args is [.. var parts, "--only", var text])
    (args, only) = (parts, text);
if (args.FirstOrDefault(a => !known.Contains(a)) is { } wrong)
{
    Console.Error.WriteLine($"bench: there is no part '{wrong}'; there are {string.Join(", ", known.Concat(commands.Keys.Where(c => c != ModelServer.Command)))}");
    return 2;
}

Measure measure = new(Console.Out, only);
Console.Out.WriteLine($"{Measure.Machine}; medians of 5 after a warm-up");
foreach (string part in args.Length == 0 ? known[..^2] : args)
{
    switch (part)
    {
        case "engine":
            await EngineBench.RunAsync(measure);
            break;
        case "events":
            await EngineBench.RunEventsAsync(measure);
            break;
        case "fleet":
            await FleetBench.RunAsync(Console.Out);
            break;
        case "durable":
            await DurableBench.RunAsync(measure);
            break;
        case "waiting":
            await DurableBench.RunWaitingAsync(measure);
            break;
        case "long":
            await DurableBench.RunLongAsync(measure);
            break;
        case "journal":
            await JournalBench.RunAsync(measure);
            break;
        case "llm":
            await LlmBench.RunAsync(measure);
            break;
        case "agents":
            await LlmAgentsBench.RunAsync(measure);
            break;
        case "postgresql":
            await WithServerAsync(async server =>
            {
                await PostgreSqlBench.RunAsync(measure, server);
                await DurableBench.RunPostgreSqlAsync(measure, server);
            });
            break;
        case "sandbox":
            await SandboxBench.RunAsync(Console.Out);
            break;
        default:
            await SchedulerBench.RunAsync(Console.Out);
            break;
    }
}

return measure.Missed == 0 ? 0 : 1;

static async Task WithServerAsync(Func<PrivateServer, Task> run)
{
    if (PrivateServer.Missing is { } missing)
    {
        Console.Out.WriteLine($"PostgreSQL: left out, since {missing}");
        return;
    }
    using PrivateServer server = PrivateServer.Start();
    await run(server);
}
