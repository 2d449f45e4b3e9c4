using Millstream.PostgreSql.Tests;

namespace Millstream.Crashes.Cycles;

/// <summary>Some cycles of `./crashes` in each run of the tests; where the journal is in a server, that is killed as well.</summary>
public sealed class CrashCycleTests
{
    private const int Jobs = 30;

    [Theory]
    [InlineData(CrashStore.Sqlite, 18)]
    [InlineData(CrashStore.PostgreSql, 9)]
    public async Task Command_KilledAtAnyInstant_LosesNothing(string kind, int cycles)
    {
        using CrashStore store = Open(kind);
        using CommandCycles command = new(store, 1, _ => { });
        await command.RunAsync(cycles);
        TestContext.Current.TestOutputHelper?.WriteLine(command.Summary);
    }

    [Theory]
    [InlineData(CrashStore.Sqlite, 20)]
    [InlineData(CrashStore.PostgreSql, 12)]
    public async Task Host_KilledAtAnyInstant_LosesNothing(string kind, int cycles)
    {
        using CrashStore store = Open(kind);
        HostCycles host = new(store, 1, Jobs, _ => { });
        await host.RunAsync(cycles);
        TestContext.Current.TestOutputHelper?.WriteLine(host.Summary);
    }

    private static CrashStore Open(string kind)
    {
        Assert.SkipWhen(kind == CrashStore.PostgreSql && PrivateServer.Missing is not null, PrivateServer.Missing ?? "");
        return new CrashStore(kind);
    }
}
