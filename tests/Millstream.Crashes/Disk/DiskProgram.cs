namespace Millstream.Crashes.Disk;

/// <summary>What runs behind the shim: <c>disk MODE …</c>.</summary>
internal static class DiskProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        Shim.Load();
        switch (args)
        {
            case ["store", var trace, var root, var seed, var mode]:
                Begin(trace, root);
                await new StoreWork(Path.Combine(root, "a", "b", "journal.db"), Number(seed), Shim.Mark) { IsCareless = mode == "careless" }.RunAsync(24, 120);
                Shim.Trace("");
                return 0;
            case ["jobs", var trace, var root]:
                Begin(trace, root);
                await JobsWork.RunAsync(Path.Combine(root, "journal.db"), Shim.Mark);
                Shim.Trace("");
                return 0;
            case ["faults", var root]:
                return await FaultLoop.RunAsync(root);
            case ["full", var root]:
                return await FullDisk.RunAsync(root);
            default:
                throw new ArgumentException($"disk {string.Join(' ', args)}: no such mode");
        }
    }

    public static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static void Begin(string trace, string root)
    {
        Shim.Watch(root);
        Shim.Trace(trace);
    }
}
