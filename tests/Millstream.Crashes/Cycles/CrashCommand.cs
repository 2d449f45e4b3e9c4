using System.Diagnostics;
using System.Globalization;

namespace Millstream.Crashes.Cycles;

/// <summary><c>./crashes --cycles N --seed S [--store sqlite|postgresql] [--only command|host] [--jobs J]</c>.</summary>
internal static class CrashCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        int cycles = int.Parse(Value(args, "--cycles") ?? "1000", CultureInfo.InvariantCulture), seed = int.Parse(Value(args, "--seed") ?? "1", CultureInfo.InvariantCulture);
        int jobs = int.Parse(Value(args, "--jobs") ?? "60", CultureInfo.InvariantCulture);
        string? only = Value(args, "--only"), store = Value(args, "--store");
        if (store is not (null or CrashStore.Sqlite or CrashStore.PostgreSql) || only is not (null or "host" or "command"))
        {
            Console.Error.WriteLine($"--store {store} --only {only}: give --store {CrashStore.Sqlite} or {CrashStore.PostgreSql}, --only host or command; both without");
            return 2;
        }
        try
        {
            foreach (string kind in store is null ? [CrashStore.Sqlite, CrashStore.PostgreSql] : new[] { store })
            {
                using CrashStore journals = new(kind);
                if (only is null or "host")
                {
                    HostCycles host = new(journals, seed, jobs, Console.Error.WriteLine);
                    await TimedAsync($"{kind}, host", cycles, host.RunAsync, () => host.Summary);
                }
                if (only is null or "command")
                {
                    using CommandCycles command = new(journals, seed, Console.Error.WriteLine);
                    await TimedAsync($"{kind}, command", cycles, command.RunAsync, () => command.Summary);
                }
            }
            return 0;
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static async Task TimedAsync(string what, int cycles, Func<int, Task> run, Func<string> summary)
    {
        Stopwatch time = Stopwatch.StartNew();
        await run(cycles);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {summary()}; {time.Elapsed.TotalSeconds / cycles:0.00} s a cycle"));
    }

    private static string? Value(string[] args, string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
