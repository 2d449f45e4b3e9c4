using System.Globalization;

namespace Millstream.Crashes.Cycles;

/// <summary><c>./crashes --cycles N --seed S [--only command|host] [--jobs J] [--journal FILE]</c>.</summary>
internal static class CrashCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        int cycles = int.Parse(Value(args, "--cycles") ?? "1000", CultureInfo.InvariantCulture), seed = int.Parse(Value(args, "--seed") ?? "1", CultureInfo.InvariantCulture);
        int jobs = int.Parse(Value(args, "--jobs") ?? "200", CultureInfo.InvariantCulture);
        string? only = Value(args, "--only"), journal = Value(args, "--journal");
        string folder = FastFolder.Make();
        try
        {
            if (only is null or "host")
            {
                HostCycles host = new(folder, seed, jobs, Console.Error.WriteLine);
                await host.RunAsync(cycles, place => journal is null ? Path.Combine(place, "journal.db") : $"{journal}.{Path.GetFileName(place)}");
                Console.Out.WriteLine($"host: {host.Summary}");
            }
            if (only is null or "command")
            {
                using CommandCycles command = new(folder, journal ?? Path.Combine(folder, "journal.db"), seed, Console.Error.WriteLine);
                await command.RunAsync(cycles);
                Console.Out.WriteLine($"command: {command.Summary}");
            }
            return 0;
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string? Value(string[] args, string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
