namespace Millstream.Crashes.Cycles;

/// <summary>Some cycles of `./crashes` in each run of the tests.</summary>
public sealed class CrashCycleTests : IDisposable
{
    private const int Cycles = 50;

    private readonly string _folder = FastFolder.Make();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Command_KilledAtAnyInstant_LosesNothing()
    {
        using CommandCycles command = new(_folder, Path.Combine(_folder, "journal.db"), 1, _ => { });
        await command.RunAsync(Cycles);
        TestContext.Current.TestOutputHelper?.WriteLine(command.Summary);
    }

    [Fact]
    public async Task Host_KilledAtAnyInstant_LosesNothing()
    {
        HostCycles host = new(_folder, 1, 30, _ => { });
        await host.RunAsync(Cycles, place => Path.Combine(place, "journal.db"));
        TestContext.Current.TestOutputHelper?.WriteLine(host.Summary);
    }
}
