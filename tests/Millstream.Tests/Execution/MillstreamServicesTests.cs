using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Millstream.Tests;

public sealed class MillstreamServicesTests
{
    [Fact]
    public async Task AddMillstream_WithAgent_RunsItByIdAndGivesItsTasksAScope()
    {
        ServiceCollection services = new();
        services.AddScoped<Counted>().AddAgent<Scoped>().AddMillstream(options => options with { GracePeriod = TimeSpan.FromSeconds(1) });
        await using ServiceProvider provider = services.BuildServiceProvider();
        AgentOrchestrator orchestrator = provider.GetRequiredService<AgentOrchestrator>();
        Job job = await orchestrator.CreateJobAsync("Scoped", JsonSerializer.SerializeToElement(2));
        JobEnding.Completed completed = Assert.IsType<JobEnding.Completed>(await job.Ending);
        // Each attempt had a scope of its own.
        Assert.Equal(2, completed.Output);
        await Assert.ThrowsAsync<ArgumentException>(() => orchestrator.CreateJobAsync("Nobody", default));
    }

    internal sealed class Counted
    {
        public int Uses { get; set; }
    }

    internal sealed class Scoped : Agent<int, int>
    {
        protected override async Task<int> RunCoreAsync(int input, AgentContext context)
        {
            int sum = 0;
            for (int i = 0; i < input; i++)
                sum += await context.StepAsync("count", task => Task.FromResult(++task.Services.GetRequiredService<Counted>().Uses));
            return sum;
        }
    }
}
