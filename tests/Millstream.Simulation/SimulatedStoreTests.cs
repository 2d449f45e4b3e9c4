using Millstream.Tests.Journaling;

namespace Millstream.Simulation;

/// <summary>The model of a store does what every store must do.</summary>
public sealed class SimulatedStoreTests : JournalStorageContract
{
    private readonly Disk _disk = new();

    protected override IJournalStorage Open() => new SimulatedStore(_disk);
}
