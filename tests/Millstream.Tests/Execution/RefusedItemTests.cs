using System.Text;
using System.Text.Json;

namespace Millstream.Tests;

/// <summary>What another process puts into an inbox and the job cannot take is told in its stream, and leaves the inbox.</summary>
public sealed class RefusedItemTests : StoredJobTests
{
    private static readonly TestAgent<string, string> Agent = Agents.Make(async c =>
    {
        bool first = await c.AskAsync(new Proceed("one?"));
        bool second = await c.AskAsync(new Proceed("two?"));
        await c.Signals.WaitToReadAsync();
        c.Signals.TryRead(out string? signal);
        return $"{first} {second} {signal}";
    });

    [Fact]
    public async Task ItemsThatDoNotFit_AreEntriesAndLeaveTheInbox()
    {
        await StartAsync(Agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(Agent, "");
        await job.UntilAsync(JobEventKinds.QuestionAsked);
        Assert.Equal(SignalResult.Accepted, await job.AnswerAsync("q1", true));
        await job.UntilAsync(e => e.Kind == JobEventKinds.QuestionAsked && e.Question == "q2");
        await using (MemoryJournalStorage other = Storage.Reopen())
        {
            await OfferAsync(other, job.Id, 3, "answer:q1", """{"question":"q1","reply":false}""");
            await OfferAsync(other, job.Id, 3, "answer:q2", """{"question":"q2","reply":"perhaps"}""");
            await OfferAsync(other, job.Id, 1, "s1", """{"not":"text"}""");
            await OfferAsync(other, job.Id, 1, null, $"[\"{new string('x', 5000)}\"]");
            await OfferAsync(other, job.Id, 1, null, "no json");
            await OfferAsync(other, job.Id, 99, null, "1");
        }
        await job.UntilAsync(e => e.Kind == JobEventKinds.SignalRefused && e.ToJson().Contains("\"item\":\"99\"", StringComparison.Ordinal));
        long runner = (await Storage.FindAsync(job.Id))!.Runner;
        Assert.Empty(await Storage.ReadInboxAsync(runner));
        // It replays over them.
        await RestartAsync(Agent);
        Job<string, string, string> again = (await Orchestrator.GetJobAsync(Agent, job.Id))!;
        Assert.Equal(SignalResult.Accepted, await again.AnswerAsync("q2", false));
        Assert.Equal(SignalResult.Accepted, await again.SignalAsync("go"));
        Assert.Equal("True False go", await again.Completion);
        JobEvent[] refused = [.. (await again.AllAsync()).Where(e => e.Kind == JobEventKinds.SignalRefused)];
        Assert.Equal(
            ["answer answer:q1", "answer answer:q2", "signal s1", "signal ", "signal ", "99 "],
            refused.Select(e => JsonDocument.Parse(e.ToJson()).RootElement).Select(e => $"{e.GetProperty("item").GetString()} {(e.TryGetProperty("sender", out JsonElement sender) ? sender.GetString() : "")}"));
        Assert.Contains("question q1 is not open: it was never asked, is answered, or was withdrawn", refused[0].ToJson(), StringComparison.Ordinal);
        Assert.Equal("""{"not":"text"}""", refused[2].Data!.Value.GetRawText());
        Assert.Equal([true, true, true, false, false, true], refused.Select(e => e.Data is not null));
    }

    [Fact]
    public async Task SecondAnswer_BesideOneThatDoesNotFit_IsTaken()
    {
        await StartAsync(Agent);
        Job<string, string, string> job = await Orchestrator.StartAsync(Agent, "");
        await job.UntilAsync(JobEventKinds.QuestionAsked);
        await Orchestrator.DisposeAsync();
        // Nobody runs the job, so both lie in its inbox at once.
        await using (MemoryJournalStorage other = Storage.Reopen())
        await using (AgentOrchestrator elsewhere = new(Options with { Journal = other, Claim = false }))
        {
            await elsewhere.StartAsync();
            Job seen = (await elsewhere.GetJobAsync(job.Id))!;
            Assert.Equal(SignalResult.Accepted, await seen.AnswerAsync("q1", "perhaps"));
            Assert.Equal(SignalResult.Accepted, await seen.AnswerAsync("q1", true));
            Assert.Equal(SignalResult.Duplicate, await seen.AnswerAsync("q1", true));
        }
        await RestartAsync(Agent);
        Job again = (await Orchestrator.GetJobAsync(job.Id))!;
        JobEvent answered = await again.UntilAsync(JobEventKinds.QuestionAnswered);
        Assert.True(answered.Data!.Value.GetBoolean());
        Assert.Contains("no Boolean", (await again.UntilAsync(JobEventKinds.SignalRefused)).ToJson(), StringComparison.Ordinal);
    }

    private static async Task OfferAsync(MemoryJournalStorage store, JobId job, byte kind, string? sender, string payload) =>
        Assert.Equal(OfferResult.Accepted, await store.OfferAsync(job, new InboxItem(kind, sender, Encoding.UTF8.GetBytes(payload))));
}
