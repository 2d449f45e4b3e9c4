using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

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

    [Fact]
    public async Task Host_StoppedAndStartedAgain_GoesOnWithItsJobs()
    {
        string folder = Directory.CreateTempSubdirectory("millstream-host-").FullName;
        try
        {
            JobId id;
            using (IHost first = MakeHost(folder))
            {
                await first.StartAsync();
                Job job = await first.Services.GetRequiredService<AgentOrchestrator>().CreateJobAsync("Asks", JsonSerializer.SerializeToElement("in"));
                id = job.Id;
                await job.UntilAsync(JobEventKinds.QuestionAsked);
                await first.StopAsync();
                Assert.Equal(JobStatus.Suspended, job.Status);
                await Assert.ThrowsAsync<JobDetachedException>(() => job.Ending);
            }
            using IHost second = MakeHost(folder);
            await second.StartAsync();
            Job again = (await second.Services.GetRequiredService<AgentOrchestrator>().GetJobAsync(id))!;
            Assert.Equal(SignalResult.Accepted, await again.AnswerAsync("q1", true));
            Assert.Equal("in True", ((JobEnding.Completed)await again.Ending).Output);
            Assert.Equal(1, (await again.KindsAsync()).Count(k => k == JobEventKinds.JobResumed));
            await second.StopAsync();
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static IHost MakeHost(string folder)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IJournalStorage>(_ => new SqliteJournalStorage(Path.Combine(folder, "journal.db"))).AddAgent<Asks>().AddMillstream();
        return builder.Build();
    }

    internal sealed class Asks : Agent<string, string>
    {
        protected override async Task<string> RunCoreAsync(string input, AgentContext context) => $"{input} {await context.AskAsync(new Proceed("?"))}";
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
