using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Golden;

/// <summary>Stories of tasks that wait or are run again, and of what a process finds that goes on with what another one has left: tasks in doubt, forks, an inbox with what does not fit.</summary>
internal static class GoldenSecondLives
{
    private static readonly AgentTask<Login, string> LogsIn = AgentTask.Create<Login, string>("log-in", (login, context) => Task.FromResult(context.Reveal(login.Key)));

    public static IReadOnlyList<GoldenStory> All { get; } =
    [
        GoldenStories.Story("superseded", async (_, c) => await c.RunAsync(GoldenParts.Task("work", attempts: 2), "flaky a")),
        GoldenStories.Story("open-secret", async (input, c) =>
        {
            // Nobody has that secret, so it is stopped in the end.
            _ = c.RunAsync(LogsIn, new Login(Secret.FromEnvironment("MILLSTREAM_GOLDEN_NOT_SET")));
            return $"{input} {await c.AskAsync(new Proceed("on?"))}";
        }, (_, job) => job.UntilAsync(JobEventKinds.TaskWaiting)) with { Output = "\"in é True\"", Finish = (_, job) => job.ReplyAsync("q1", true) },
        GoldenStories.Story("decided", async (_, c) => string.Join(' ', await c.RunAllAsync(GoldenParts.Task("gate", atMostOnce: true), ["a", "b"])), async (world, job) =>
        {
            await job.UntilAsync(JobEventKinds.TaskInDoubt, count: 2);
            await job.ReplyAsync("t1", new { action = "complete", output = "paid é" });
            await job.ReplyAsync("t2", new { action = "retry" });
            world.Open("gate");
            await job.Ending;
        }) with { Before = job => job.UntilAsync(JobEventKinds.TaskStarted, count: 2) },
        GoldenStories.Story("open-doubt", async (_, c) =>
        {
            try
            {
                return await c.RunAsync(GoldenParts.Task("gate", atMostOnce: true), "a");
            }
            catch (TaskFailedException e)
            {
                return $"{e.Error.Type}: {e.Error.Message}";
            }
        }, (_, job) => job.UntilAsync(JobEventKinds.TaskInDoubt)) with
        {
            Before = job => job.UntilAsync(JobEventKinds.TaskStarted),
            Output = "\"InDoubt: the bank knows nothing\"",
            Finish = (_, job) => job.ReplyAsync("t1", new { action = "fail", reason = "the bank knows nothing" }),
        },
        GoldenStories.Story("open-forked", async (_, c) =>
        {
            string done = await c.RunAsync(GoldenParts.Task("echo"), "done");
            return $"{done} {c.Random.Next(1_000_000)} {await c.AskAsync(new Proceed("on?"))} {c.Random.Next(1_000_000)}";
        }, (_, job) => job.UntilAsync(JobEventKinds.QuestionAsked)) with
        {
            Before = job => job.UntilAsync(JobEventKinds.QuestionAsked),
            ForkedAt = 5,
            // Chance is that of the job it was forked from.
            Output = "\"done 899770 True 373370\"",
            Finish = (_, job) => job.ReplyAsync("q1", true),
        },
        GoldenStories.Story("open-refused", async (_, c) => $"{await c.AskAsync(new Proceed("on?"))} {await c.AskAsync(new Proceed("and on?"))}", async (_, job) =>
        {
            await job.UntilAsync(JobEventKinds.SignalRefused, count: 4);
            await job.ReplyAsync("q1", true);
            await job.UntilAsync(JobEventKinds.QuestionAsked, count: 2);
        }) with
        {
            Before = job => job.UntilAsync(JobEventKinds.QuestionAsked),
            Offers =
            [
                new InboxItem(InboxKind.Signal, "s1", """{"not":"text é"}"""u8.ToArray()), new InboxItem(InboxKind.Signal, null, "no json"u8.ToArray()),
                new InboxItem(InboxKind.Answer, "answer:q1", """{"question":"q1","reply":"perhaps"}"""u8.ToArray()), new InboxItem(99, null, "1"u8.ToArray()),
            ],
            Output = "\"True False\"",
            Finish = (_, job) => job.ReplyAsync("q2", false),
        },
    ];

    internal sealed record Login(Secret Key);
}
