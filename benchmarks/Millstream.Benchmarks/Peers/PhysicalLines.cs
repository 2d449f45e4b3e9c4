using System.Diagnostics;

namespace Millstream;

/// <summary>What the machine itself asks, beside what is built on it.</summary>
internal static class PhysicalLines
{
    private const int Alone = 200, Jobs = 1_000, Steps = 20, Syncs = 200, Sandboxes = 25;
    private const string Fsync = "fsync of 4 KiB", Rows = "1,000 rows in a transaction", Bare = "bare bwrap";

    public static IEnumerable<PeerGroup> Groups()
    {
        Lazy<string> folder = new(() => Directory.CreateTempSubdirectory("millstream-bench-").FullName);
        int made = 0;
        yield return new PeerGroup(
            new PeerLine("one job in SQLite, a durable step", Fsync, new PeerRun("ours alone", () => DurableBench.StepsAsync(Store(), 1, Alone)), new PeerRun(Fsync, () => Task.FromResult(Sync())), "us"),
            new PeerLine("1,000 jobs in SQLite, a durable step", Rows, new PeerRun("ours at once", () => DurableBench.StepsAsync(Store(), Jobs, Steps)), new PeerRun(Rows, () => Task.FromResult(JournalBench.NaiveRows(Fresh(), "keyed", Steps))), "us"))
        {
            WarmUp = default,
            Least = default,
            EndAsync = () =>
            {
                if (folder.IsValueCreated)
                    Directory.Delete(folder.Value, true);
                return ValueTask.CompletedTask;
            },
        };
        Sandboxed agent = new();
        string? bwrap = OperatingSystem.IsLinux() ? Tools.Find("bwrap") : null;
        yield return new PeerGroup(new PeerLine("a sandbox under a lease", Bare, InMemoryPeers.Timed("ours", 1_000 * Sandboxes, Sandboxes, () => InMemoryPeers.JobAsync(agent, Sandboxes, new OrchestratorOptions { PoolResources = [new SandboxResource("sandbox-1")] })),
            InMemoryPeers.Timed(Bare, 1_000 * Sandboxes, Sandboxes, async () =>
            {
                for (int i = 0; i < Sandboxes; i++)
                    await SandboxBench.BareAsync(bwrap!);
                return Sandboxes;
            }), "ms"))
        {
            Missing = bwrap is null ? "bubblewrap is not here" : null,
            WarmUp = default,
            Least = default,
        };

        string Fresh() => Directory.CreateDirectory(Path.Combine(folder.Value, $"{++made}")).FullName;
        SqliteJournalStorage Store() => new(Path.Combine(Fresh(), "journal.db"));

        double Sync()
        {
            byte[] page = new byte[4_096];
            using FileStream file = new(Path.Combine(Fresh(), "pages"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Syncs; i++)
            {
                file.Write(page);
                file.Flush(true);
            }
            return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Syncs;
        }
    }

    private sealed class Sandboxed : Agent<int, int>
    {
        private static readonly SandboxCommand s_command = new() { Arguments = ["/usr/bin/true"] };

        private static readonly AgentTask<int, int> s_true = AgentTask.Create<int, int>("true",
            async (_, context) => (await context.Lease.Get<Sandbox>().RunAsync(s_command, token: context.CancellationToken)).ExitCode + 1, requirements: [ResourceRequirement.Exclusive("sandbox")]);

        protected override async Task<int> RunCoreAsync(int input, AgentContext context)
        {
            int right = 0;
            for (int i = 0; i < input; i++)
                right += await context.RunAsync(s_true, i);
            return right;
        }
    }
}
