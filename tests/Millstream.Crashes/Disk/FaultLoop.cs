using System.Globalization;

namespace Millstream.Crashes.Disk;

/// <summary>
/// The same work again and again, its first call to the disk failing, then its second, and so on until there is none left. Nothing but a
/// <see cref="JournalStorageException"/> may come of it, what was acknowledged is there afterwards, and after a failed sync nothing is.
/// </summary>
internal static class FaultLoop
{
    private const int Jobs = 3, Steps = 12, Seed = 7;
    private const int Io = 5, OpenFiles = 24, Full = 28, Short = -1;

    private static readonly (string Name, int Error, int Count, DiskCall Kinds)[] Faults =
    [
        ("EIO once", Io, 1, DiskCall.Changes | DiskCall.Open | DiskCall.Map | DiskCall.Read),
        ("EIO from then on", Io, -1, DiskCall.Changes),
        ("ENOSPC once", Full, 1, DiskCall.Create | DiskCall.Write | DiskCall.Truncate | DiskCall.MakeFolder),
        ("ENOSPC from then on", Full, -1, DiskCall.Create | DiskCall.Write | DiskCall.Truncate | DiskCall.MakeFolder),
        ("EMFILE once", OpenFiles, 1, DiskCall.Create | DiskCall.Open),
        ("EMFILE from then on", OpenFiles, -1, DiskCall.Create | DiskCall.Open),
        ("a short write once", Short, 1, DiskCall.Write),
    ];

    public static async Task<int> RunAsync(string root)
    {
        Shim.Watch(root);
        foreach ((string name, int error, int count, DiskCall kinds) in Faults)
        {
            int at = 1, told = 0, unseen = 0, refused = 0;
            for (; ; at++)
            {
                string what = string.Create(CultureInfo.InvariantCulture, $"{name}, call {at}");
                Console.Out.WriteLine(what);
                string folder = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"{Array.FindIndex(Faults, f => f.Name == name)}-{at}"));
                StoreLedger ledger = new();
                StoreWork work = new(Path.Combine(folder, "j", "journal.db"), Seed, ledger.Note) { Large = 5_000 };
                Directory.CreateDirectory(folder);
                Shim.Fail(at, count, error, kinds);
                bool isTold = false;
                try
                {
                    await work.RunAsync(Jobs, Steps);
                }
                catch (JournalStorageException)
                {
                    isTold = true;
                }
                int failures = Shim.Failures();
                string failed = Shim.Failed();
                if (isTold && work.Store is not null && failed.StartsWith("fsync", StringComparison.Ordinal))
                {
                    Shim.Fail(0, 0, 0, 0);
                    refused++;
                    await MustRefuseAsync(work, $"{what} ({failed})");
                }
                Shim.Fail(0, 0, 0, 0);
                await work.CloseAsync();
                if (failures == 0)
                    break;
                _ = isTold ? told++ : unseen++;
                if (isTold && !File.Exists(Path.Combine(folder, "j", "journal.db")))
                    continue;
                if (await ledger.CheckAsync(Path.Combine(folder, "j", "journal.db")) is { Count: > 0 } faults)
                    throw new InvalidOperationException($"{what} ({failed}, {(isTold ? "told" : "not told")}): {string.Join("; ", faults)}");
                Directory.Delete(folder, recursive: true);
            }
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"= {name}: {at - 1} calls; {told} told, {unseen} recovered, {refused} syncs after which nothing was acknowledged"));
        }
        return 0;
    }

    /// <summary>After a sync that failed, a later one may succeed without having written: so nothing may be acknowledged.</summary>
    private static async Task MustRefuseAsync(StoreWork work, string what)
    {
        try
        {
            await work.AppendOneAsync();
        }
        catch (JournalStorageException)
        {
            return;
        }
        throw new InvalidOperationException($"{what}: an append was acknowledged after it");
    }
}
