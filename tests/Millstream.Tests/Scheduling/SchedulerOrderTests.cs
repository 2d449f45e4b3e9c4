namespace Millstream.Tests;

public class SchedulerOrderTests
{
    private static readonly ResourceRequirement Browser = ResourceRequirement.Exclusive("browser");
    private readonly SchedulerWorld world = new();

    [Fact]
    public void Submit_FreeSlot_GrantsAtOnce()
    {
        world.Worker("w");
        TaskRequest request = world.Submit("a");
        Assert.Equal("+a", world.Took());
        Assert.Equal("w", request.Grant!.WorkerId);
        Assert.Equal(new LeaseEpoch(7, 1), request.Grant.Epoch);
        Assert.Empty(request.Grant.Members);
    }

    [Fact]
    public void Submit_MoreThanSlots_RunsInOrderAsSlotsComeBack()
    {
        world.Worker("w", 2);
        TaskRequest[] requests = [.. Enumerable.Range(0, 5).Select(i => world.Submit($"{i}"))];
        Assert.Equal("+0 +1", world.Took());
        world.Release(requests[1]);
        Assert.Equal("+2", world.Took());
        world.Release(requests[0]);
        world.Release(requests[2]);
        Assert.Equal("+3 +4", world.Took());
    }

    [Fact]
    public void Submit_WithoutWorkers_WaitsAndStartsWithTheFirstWorker()
    {
        TaskRequest request = world.Submit("a", Browser);
        Assert.Equal("waits for a worker: there is none", world.Scheduler.Explain(request));
        world.Worker("w", 1, SchedulerWorld.Unit("b1", "browser"));
        Assert.Equal("+a", world.Took());
    }
}
