namespace Millstream.Tests;

/// <summary>What a body must not do, and that it is told at once.</summary>
public sealed class TurnRuleTests
{
    private static async Task<JobError> FailureAsync(Func<AgentContext<string, string>, Task<string>> body)
    {
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { GracePeriod = TimeSpan.FromMilliseconds(50) });
        Job<string, string, string> job = await orchestrator.StartAsync(Agents.Make(body), "");
        return Assert.IsType<JobEnding.Failed>(await job.Ending).Error;
    }

    [Fact]
    public async Task Await_TaskDelay_IsToldWithTheLineToWriteInstead()
    {
        JobError error = await FailureAsync(async context =>
        {
            await context.RunAsync(Agents.Echo, "");
            await Task.Delay(50);
            return "";
        });
        Assert.Equal(ErrorTypes.OutsideTurn, error.Type);
        Assert.Contains("echo", error.Message, StringComparison.Ordinal);
        Assert.Contains("context.StepAsync(", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Await_TaskDelayBesidePendingTask_IsToldWhenItResumes()
    {
        JobError error = await FailureAsync(async context =>
        {
            Task<string> pending = context.RunAsync(Agents.Forever, "");
            await Task.Delay(50);
            return await pending;
        });
        Assert.Contains("resumed by something", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Await_OwnCompletionSource_IsToldAndDoesNotHang()
    {
        JobError error = await FailureAsync(async _ =>
        {
            await new TaskCompletionSource().Task;
            return "";
        });
        Assert.Contains("waits for nothing that its context gave", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Context_FromAnotherThread_ThrowsNamingTheCall()
    {
        OutsideTurnException? thrown = null;
        Task? outside = null;
        JobError error = await FailureAsync(async context =>
        {
            Task<string> pending = context.RunAsync(Agents.Forever, "");
            outside = Task.Run(() =>
            {
                try
                {
                    context.Emit("outside");
                }
                catch (OutsideTurnException e)
                {
                    thrown = e;
                }
            });
            return await pending;
        });
        await outside!;
        Assert.Contains("Emit(String)", error.Message, StringComparison.Ordinal);
        Assert.Equal(thrown!.Message, error.Message);
    }

    [Fact]
    public async Task Context_AfterBodyReturned_ThrowsNamingTheCall()
    {
        AgentContext<string, string>? kept = null;
        Assert.Equal("", await Agents.Make(context => { kept = context; return Task.FromResult(""); }).RunAsync(""));
        OutsideTurnException e = Assert.Throws<OutsideTurnException>(() => kept!.Emit("late"));
        Assert.Contains("Emit(String) was called after the body", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Block_OnResult_IsToldToAwait()
    {
        JobError error = await FailureAsync(context => Task.FromResult(context.RunAsync(Agents.Echo, "").Result));
        Assert.Contains("use await", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AsyncVoid_Throws_FailsTheJobAndNotTheProcess()
    {
        JobError error = await FailureAsync(async context =>
        {
            Leave(context);
            return await context.RunAsync(Agents.Forever, "");
        });
        Assert.Equal("from async void", error.Message);

        static async void Leave(AgentContext<string, string> context)
        {
            await context.RunAsync(Agents.Echo, "");
            throw new InvalidOperationException("from async void");
        }
    }

    [Fact]
    public async Task Token_CancelledByTimerOfItsOwn_IsToldAndDoesNotEndTheProcess()
    {
        JobError error = await FailureAsync(async context =>
        {
            using CancellationTokenSource source = new(TimeSpan.FromMilliseconds(50));
            return await context.RunAsync(Agents.Forever, "", source.Token);
        });
        Assert.Contains("context.CancelAfter(time)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConfigureAwaitFalse_OnContextsTask_IsTold()
    {
        JobError error = await FailureAsync(async context =>
        {
            await context.RunAsync(Agents.Echo, "").ConfigureAwait(false);
            return await context.RunAsync(Agents.Echo, "");
        });
        Assert.Equal(ErrorTypes.OutsideTurn, error.Type);
    }

    [Fact]
    public async Task PlainCSharp_WhenAllSemaphoreTryFinallyLocks_Works()
    {
        string result = await Agents.Make(async context =>
        {
            using SemaphoreSlim two = new(2);
            int most = 0, now = 0;
            async Task<string> OneAsync(int i)
            {
                await two.WaitAsync();
                try
                {
                    most = Math.Max(most, ++now);
                    return await context.RunAsync(Agents.Echo, $"{i}");
                }
                finally
                {
                    now--;
                    two.Release();
                }
            }
            string[] all = await Task.WhenAll(Enumerable.Range(0, 20).Select(OneAsync));
            return $"{all.Length} {most}";
        }).RunAsync("");
        Assert.Equal("20 2", result);
    }

    [Fact]
    public async Task Turn_WithTooManyCommands_FailsNamingTheLimit()
    {
        JobError error = await FailureAsync(context =>
        {
            while (true)
                context.Emit("");
        });
        Assert.Contains("at most 1,000,000 commands", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Round_PendingTask_IsStoppedBetweenRoundsAndSignalsStay()
    {
        await using AgentOrchestrator orchestrator = new();
        Job<int, string, string> job = await orchestrator.CreateJobAsync(new Counter(), 3);
        foreach (string signal in new[] { "a", "b", "c" })
            await job.SignalAsync(signal);
        Assert.Equal(3, await job.Completion);
        List<string> kinds = await job.KindsAsync();
        Assert.Equal(3, kinds.Count(k => k == "task.cancelled"));
        Assert.DoesNotContain("job.returned", kinds[..^4]);
    }

    private sealed class Counter : LoopAgent<int, int, string, string, int>
    {
        private int _most;

        protected override int Begin(int input)
        {
            _most = input;
            return 0;
        }

        protected override async Task<Next<int, int>> NextAsync(int state, AgentContext<string, string> context)
        {
            if (state == _most)
                return Next.Done(state);
            _ = context.RunAsync(Agents.Forever, "");
            context.Emit(await context.Signals.NextAsync());
            return Next.Continue(state + 1);
        }
    }
}
