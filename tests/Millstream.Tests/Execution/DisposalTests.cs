using Microsoft.Extensions.DependencyInjection;

namespace Millstream.Tests;

/// <summary>What becomes of jobs, senders and services when an orchestrator or an attempt goes.</summary>
public sealed class DisposalTests
{
    [Fact]
    public async Task Dispose_OpenJob_TellsWhoSendsToItAfterwards()
    {
        AgentOrchestrator orchestrator = new();
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c => (await c.AskAsync(new Proceed("?"))).ToString()), "");
        await job.UntilAsync(JobEventKinds.QuestionAsked);
        await orchestrator.DisposeAsync();
        Assert.Equal(JobStatus.Suspended, job.Status);
        await Assert.ThrowsAsync<JobDetachedException>(() => job.CancelAsync());
        await Assert.ThrowsAsync<JobDetachedException>(() => job.SignalAsync("go"));
        await Assert.ThrowsAsync<JobDetachedException>(() => job.AnswerAsync("q1", true));
        await Assert.ThrowsAsync<JobDetachedException>(() => orchestrator.CancelJobAsync(job.Id));
        await Assert.ThrowsAsync<JobDetachedException>(() => job.Completion);
    }

    [Fact]
    public async Task Dispose_WhileATurnRuns_StartsNothingOfIt()
    {
        AgentOrchestrator orchestrator = new();
        using SemaphoreSlim inTurn = new(0), goOn = new(0);
        bool began = false;
        AgentTask<string, string> late = AgentTask.Create<string, string>("late", (_, _) =>
        {
            began = true;
            return Task.FromResult("");
        });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(async c =>
        {
            inTurn.Release();
            goOn.Wait();
            return await c.RunAsync(late, "");
        }), "");
        await inTurn.WaitAsync();
        Task disposal = orchestrator.DisposeAsync().AsTask();
        Task second = orchestrator.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<JobDetachedException>(() => job.Completion);
        Assert.False(disposal.IsCompleted || second.IsCompleted);
        goOn.Release();
        await disposal;
        await second;
        Assert.False(began);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => orchestrator.StartAsync(Agents.Make(c => c.RunAsync(late, "")), ""));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Task_WithAServiceThatIsOnlyAsyncDisposable_DisposesItAndCompletes(bool isAsync)
    {
        await using ServiceProvider services = new ServiceCollection().AddScoped<OnlyAsync>().BuildServiceProvider();
        OnlyAsync? used = null;
        AgentTask<string, string> task = AgentTask.Create<string, string>("uses", async (_, context) =>
        {
            used = context.Services.GetRequiredService<OnlyAsync>();
            if (isAsync)
                await Task.Yield();
            return "done";
        });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Services = services });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(task, "")), "");
        Assert.Equal("done", await job.Completion);
        Assert.True(used!.IsDisposed);
    }

    [Fact]
    public async Task Task_WhoseServiceDoesNotDispose_KeepsItsOutput()
    {
        await using ServiceProvider services = new ServiceCollection().AddScoped<Broken>().BuildServiceProvider();
        AgentTask<string, string> task = AgentTask.Create<string, string>("uses", (_, context) => Task.FromResult(context.Services.GetRequiredService<Broken>().ToString()!));
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Services = services });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(task, "")), "");
        Assert.Contains("Broken", await job.Completion, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Task_LeftBehind_HasItsServicesDisposedWhenItEnds()
    {
        await using ServiceProvider services = new ServiceCollection().AddScoped<OnlyAsync>().BuildServiceProvider();
        TaskCompletionSource end = new();
        OnlyAsync? used = null;
        AgentTask<string, string> deaf = AgentTask.Create<string, string>("deaf", async (_, context) =>
        {
            used = context.Services.GetRequiredService<OnlyAsync>();
            await end.Task;
            return "";
        }, policy: new TaskPolicy { Timeout = TimeSpan.FromMilliseconds(10) });
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Services = services, GracePeriod = TimeSpan.FromMilliseconds(10) });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(c => c.RunAsync(deaf, "")), "");
        Assert.IsType<JobEnding.Failed>(await job.Ending);
        Assert.False(used!.IsDisposed);
        end.SetResult();
        await used.Disposed;
    }

    [Fact]
    public void Completion_WaitedForOnASingleThread_Ends()
    {
        Exception? error = null;
        Thread thread = new(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new Blocked());
            try
            {
                AgentOrchestrator orchestrator = new();
                Job<string, string, string> job = orchestrator.StartAsync(Agents.Make(c => c.RunAsync(Agents.Echo, "x")), "").Result;
                Assert.Same(job.Completion, job.Completion);
                job.Completion.Wait();
                orchestrator.DisposeAsync().AsTask().Wait();
                Agents.Make(c => c.RunAsync(Agents.Echo, "x")).RunAsync("").Wait();
            }
            catch (Exception e)
            {
                error = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(error);
    }

    private sealed class Blocked : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
            // The thread waits; nothing posted to it will run.
        }
    }

    private sealed class OnlyAsync : IAsyncDisposable
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Disposed => _disposed.Task;

        public bool IsDisposed => _disposed.Task.IsCompleted;

        public ValueTask DisposeAsync()
        {
            _disposed.TrySetResult();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Broken : IDisposable
    {
        public void Dispose() => throw new InvalidOperationException("no");
    }
}
