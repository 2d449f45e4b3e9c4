using Millstream.Cli.Running;
using Millstream.Definitions;

namespace Millstream.Cli.Tests;

public sealed class LocalHostTests
{
    [Theory]
    [InlineData("sandbox: 100", 100)]
    [InlineData("sandbox: 70, gpu: 8", 78)]
    [InlineData("sandbox: 1", Worker.DefaultSlots)]
    public async Task Start_ManyResources_HasASlotForEach(string resources, int slots)
    {
        await using AgentOrchestrator orchestrator = LocalHost.Start(WorkflowFile.Parse($"name: w\nresources: {{ {resources} }}\ntasks: {{ a: {{ uses: template, with: {{ text: x }} }} }}"));
        Assert.Equal(slots, Assert.Single(orchestrator.Workers).Slots);
    }
}
