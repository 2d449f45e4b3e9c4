using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Time.Testing;

namespace Millstream.Tests;

/// <summary>What is larger than a payload may be is refused to whoever gives it, with its size, the limit and the setting.</summary>
public sealed class PayloadLimitTests : StoredJobTests
{
    private const string Fault = " is 2,002 bytes of JSON, and OrchestratorLimits.PayloadBytes is 2,000: ";

    private static readonly string Large = new('x', 2_000);

    public PayloadLimitTests() => Options = Options with { Limits = new OrchestratorLimits { PayloadBytes = 2_000 } };

    private sealed record Proceed(string What) : Question<string>;

    /// <summary>Tells when it is made JSON.</summary>
    private sealed class Told
    {
        [JsonIgnore]
        public Action? WhenRead { get; init; }

        public string Text
        {
            get
            {
                WhenRead?.Invoke();
                return field;
            }
            init;
        } = "";
    }

    [Fact]
    public async Task Output_OverTheLimit_FailsThatTaskOnceAndTheJobGoesOn()
    {
        int runs = 0;
        TestAgent<string, string> agent = Agents.Make(async c =>
        {
            try
            {
                return await c.StepAsync("large", _ => Task.FromResult(Large[..^(2 * runs++)]), new TaskPolicy { Retry = new RetryPolicy { Attempts = 3 } });
            }
            catch (TaskFailedException e)
            {
                return e.Error.ToString();
            }
        });
        await StartAsync(agent);
        Assert.Equal($"large: the output of task large{Fault}return the path of a file with it, or return less, or raise that limit", await (await Orchestrator.StartAsync(agent, "")).Completion);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Output_OverTheLimitWhoseTimeoutFiresWhileItIsMadeJson_FailsForGood()
    {
        FakeTimeProvider time = new();
        int runs = 0;
        Options = Options with { Time = time };
        TestAgent<string, string> agent = Agents.Make(async c => (await c.StepAsync("large", _ =>
        {
            runs++;
            return Task.FromResult(new Told { Text = Large, WhenRead = () => time.Advance(TimeSpan.FromMinutes(1)) });
        }, new TaskPolicy { Timeout = TimeSpan.FromMinutes(1), Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.Zero } })).Text);
        await StartAsync(agent);
        JobError error = Assert.IsType<JobEnding.Failed>(await (await Orchestrator.StartAsync(agent, "")).Ending).Error;
        Assert.Equal((nameof(PayloadTooLargeException), 1), (error.Type, runs));
    }

    [Fact]
    public async Task Output_OfAnAttemptThatWasLeftBehind_IsNotMadeJson()
    {
        FakeTimeProvider time = new();
        int read = 0;
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously), late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // The second attempt gets the unit only when the first one's code has ended.
        AgentTask<string, Told> task = AgentTask.Create<string, Told>("stubborn", async (_, context) =>
        {
            if (context.Attempt > 1)
                return new Told { Text = "second" };
            begun.SetResult();
            await late.Task;
            return new Told { Text = "first", WhenRead = () => Interlocked.Increment(ref read) };
        }, [ResourceRequirement.Exclusive("thing")], new TaskPolicy { Timeout = TimeSpan.FromMinutes(1), Retry = new RetryPolicy { Attempts = 2, Delay = TimeSpan.Zero } });
        TestAgent<string, string> agent = Agents.Make(async c => (await c.RunAsync(task, "")).Text);
        Options = Options with { Time = time, Workers = [new Worker("w", [new Thing("t")])] };
        await StartAsync(agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(agent, "");
        await begun.Task;
        time.Advance(TimeSpan.FromMinutes(1));
        time.Advance(Options.GracePeriod);
        await UntilAsync(() => job.Tasks is [{ Attempt: 2 }]);
        late.SetResult();
        Assert.Equal("second", await job.Completion);
        Assert.Equal(0, read);
    }

    [Fact]
    public async Task Payload_AtTheLimit_IsTaken()
    {
        TestAgent<string, string> agent = Agents.Make(c => c.StepAsync("large", _ => Task.FromResult(Large[2..])));
        await StartAsync(agent);
        Assert.Equal(Large[2..], await (await Orchestrator.StartAsync(agent, Large[2..])).Completion);
    }

    [Fact]
    public async Task InputEventAndOutput_OverTheLimit_AreToldToWhoGivesThem()
    {
        TestAgent<string, string> output = new((_, _) => Task.FromResult(Large), "output"), input = new(async (_, c) => await c.StepAsync("x", _ => Task.FromResult("")), "input");
        TestAgent<string, string> events = new((_, c) =>
        {
            c.Emit(Large);
            return Task.FromResult("");
        }, "events");
        await StartAsync(output, input, events);
        PayloadTooLargeException e = await Assert.ThrowsAsync<PayloadTooLargeException>(() => Orchestrator.StartAsync(input, Large));
        Assert.Equal((2_002, 2_000), (e.Size, e.Limit));
        Assert.Equal($"the output of agent output{Fault}return the path of a file with it, or return less, or raise that limit", await ErrorAsync(output));
        Assert.Contains($"a String{Fault}", await ErrorAsync(events), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_ThatCannotBeJson_FailsTaskAndJobAndNotTheProcess()
    {
        TestAgent<string, double> job = new((_, _) => Task.FromResult(double.NaN), "job"), task = new((_, c) => c.StepAsync("nan", _ => Task.FromResult(double.NaN)), "task");
        await StartAsync(job, task);
        Assert.Contains("the output of agent job cannot be JSON and read back", await ErrorAsync(job), StringComparison.Ordinal);
        Assert.Contains("the output of task nan cannot be JSON and read back", await ErrorAsync(task), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignalAndAnswer_OverTheLimit_AreRefusedHereAndElsewhere()
    {
        TestAgent<string, string> agent = Agents.Make(c => c.AskAsync(new Proceed("?")));
        await StartAsync(agent);
        Job job = await Orchestrator.StartAsync(agent, "");
        await job.UntilAsync(JobEventKinds.QuestionAsked);
        JsonElement large = JsonSerializer.SerializeToElement(Large);
        // The second one is another process: what it sends would go through the inbox.
        await using MemoryJournalStorage reopened = Storage.Reopen();
        await using AgentOrchestrator other = new(Options with { Journal = reopened });
        await other.StartAsync();
        Job elsewhere = (await other.GetJobAsync(job.Id))!;
        foreach (Job one in (Job[])[job, elsewhere])
        {
            Assert.Contains($"the signal{Fault}", (await Assert.ThrowsAsync<PayloadTooLargeException>(() => one.SignalAsync(large))).Message, StringComparison.Ordinal);
            Assert.Contains($"the answer{Fault}", (await Assert.ThrowsAsync<PayloadTooLargeException>(() => one.AnswerAsync("q1", large))).Message, StringComparison.Ordinal);
            Assert.Contains($"the reason of the cancel{Fault}", (await Assert.ThrowsAsync<PayloadTooLargeException>(() => one.CancelAsync(Large))).Message, StringComparison.Ordinal);
        }
        Assert.Equal(SignalResult.Accepted, await elsewhere.AnswerAsync("q1", "short"));
        Assert.Equal("short", ((JobEnding.Completed)await job.Ending).Output);
    }

    [Theory]
    [InlineData(1_023)]
    [InlineData((16 << 20) + 1)]
    public void Limit_OutOfRange_IsRefused(int bytes) =>
        Assert.Contains($"PayloadBytes is {bytes}; give 1,024 to 16,777,216", Assert.Throws<ArgumentException>(() => new AgentOrchestrator(new OrchestratorOptions { Limits = new OrchestratorLimits { PayloadBytes = bytes } })).Message, StringComparison.Ordinal);

    private async Task<string> ErrorAsync<T>(TestAgent<string, T> agent) =>
        Assert.IsType<JobEnding.Failed>(await (await Orchestrator.StartAsync(agent, "")).Ending).Error.Message;
}
