using System.Globalization;
using System.Text.Json;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Golden;

/// <summary>The stories: together they have every kind of entry that a store gets. Stored journals rest on this code, so a story is never changed, only followed by another.</summary>
internal static class GoldenStories
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(2), Long = TimeSpan.FromDays(100);

    public static IReadOnlyList<GoldenStory> All => Stories.Value;

    // Made when all that they name is there.
    private static readonly Lazy<IReadOnlyList<GoldenStory>> Stories = new(() =>
    [
        Story("plain", async (input, c) =>
        {
            c.Emit($"began {input}");
            c.Emit(string.Concat(Enumerable.Repeat("é \"漢字\" <&> \\ 🙂\n\u2028", 2000)));
            await c.FlushAsync();
            string one = await c.RunAsync(GoldenParts.Task("echo"), "a\u0001b");
            int two = await c.StepAsync("step", _ => Task.FromResult(2));
            return $"{one} {two} {c.NewId()} {c.Random.Next(1000)} {c.Now.Year > 2000}";
        }),
        Story("tasks", async (input, c) =>
        {
            string[] all = await c.RunAllAsync(GoldenParts.Task("work", attempts: 3), ["a", "flaky b", "c"]);
            try
            {
                await c.RunAsync(GoldenParts.Task("broken"), "no");
            }
            catch (TaskFailedException e)
            {
                c.Emit($"{e.Error.Task} failed: {e.Error.Message}");
            }
            CancellationTokenSource soon = c.CancelAfter(Short);
            try
            {
                await c.RunAsync(GoldenParts.Task("endless"), "", soon.Token);
            }
            catch (OperationCanceledException)
            {
                c.Emit("stopped");
            }
            // Not awaited: it is stopped when the body returns.
            _ = c.RunAsync(GoldenParts.Task("endless"), "left");
            return $"{input} {string.Join(' ', all)}";
        }),
        Story("failed", async (_, c) =>
        {
            await c.RunAsync(GoldenParts.Task("broken"), "no");
            return "";
        }),
        Story("timers", async (_, c) =>
        {
            await c.DelayAsync(Short);
            CancellationTokenSource soon = c.CancelAfter(Short);
            try
            {
                await c.DelayAsync(Long, soon.Token);
            }
            catch (OperationCanceledException)
            {
                c.Emit("no longer");
            }
            return "over";
        }),
        Story("questions", async (_, c) =>
        {
            bool first = await c.AskAsync(new Proceed("on?"));
            CancellationTokenSource soon = c.CancelAfter(Short);
            try
            {
                await c.AskAsync(new Proceed("still there?"), soon.Token);
            }
            catch (OperationCanceledException)
            {
                c.Emit("nobody was");
            }
            return first.ToString();
        }, async (_, job) =>
        {
            await job.UntilAsync(JobEventKinds.QuestionAsked);
            await job.ReplyAsync("q1", true);
            await job.Ending;
        }),
        Story("signals", (_, c) => HearAsync(c, 3), async (_, job) =>
        {
            await job.SignalAsync("one", "id-1");
            await job.SignalAsync("two é");
            await job.SignalAsync("three", "id-3");
            await job.Ending;
        }),
        Story("children", async (_, c) =>
        {
            string good = await c.RunAsync(GoldenParts.Child, "good");
            try
            {
                await c.RunAsync(GoldenParts.Child, "bad");
            }
            catch (ChildJobFailedException)
            {
                c.Emit("one failed");
            }
            CancellationTokenSource soon = c.CancelAfter(TimeSpan.FromMilliseconds(20));
            try
            {
                await c.RunAsync(GoldenParts.Child, "endless", soon.Token);
            }
            catch (OperationCanceledException)
            {
                c.Emit("one was stopped");
            }
            return good;
        }) with { Others = [GoldenParts.Child] },
        Story("cancelled", async (_, c) =>
        {
            try
            {
                await c.RunAsync(GoldenParts.Task("endless"), "");
            }
            finally
            {
                await c.CleanUpAsync(TimeSpan.FromSeconds(10), async () => await c.RunAsync(GoldenParts.Task("echo"), "cleaned"));
            }
            return "";
        }, async (_, job) =>
        {
            await job.UntilAsync(JobEventKinds.TaskStarted);
            await job.CancelAsync("enough");
            await job.Ending;
        }),
        Story("resumed", async (_, c) => $"{await c.RunAsync(GoldenParts.Task("echo"), "before")} {await c.AskAsync(new Proceed("on?"))} {await c.RunAsync(GoldenParts.Task("echo"), "after")}", async (_, job) =>
        {
            await job.UntilAsync(JobEventKinds.JobResumed);
            await job.ReplyAsync("q1", false);
            await job.Ending;
        }) with { Before = job => job.UntilAsync(JobEventKinds.QuestionAsked) },
        Story("open-waiting", async (_, c) =>
        {
            Task<string> child = c.RunAsync(GoldenParts.Child, "asks");
            Task timer = c.DelayAsync(TimeSpan.FromMilliseconds(50));
            string done = await c.RunAsync(GoldenParts.Task("echo"), "done é<1>");
            bool go = await c.AskAsync(new Proceed("on?"));
            string heard = await HearAsync(c, 2);
            await timer;
            return $"{done} {go} {heard} {await child}";
        }, async (_, job) =>
        {
            await job.UntilAsync(JobEventKinds.QuestionAsked, count: 2);
            await job.SignalAsync("first", "id-1");
            await job.UntilAsync(JobEventKinds.TimerFired);
        }) with
        {
            Others = [GoldenParts.Child],
            Output = "\"done é<1> True first second True\"",
            Finish = async (_, job) =>
            {
                // The first one was accepted by the process that is gone.
                if (await job.SignalAsync(JsonSerializer.SerializeToElement("first"), "id-1") is not SignalResult.Duplicate)
                    throw new InvalidOperationException("a signal that was accepted is not known");
                await job.ReplyAsync("q1", true);
                await job.SignalAsync("second");
            },
        },
        Story("open-working", async (_, c) => $"{await c.RunAsync(GoldenParts.Task("echo"), "a")} {await c.RunAsync(GoldenParts.Task("gate"), "b")} {c.NewId() != Guid.Empty} {await c.RunAsync(GoldenParts.Task("echo"), "c")}",
            (_, job) => job.UntilAsync(JobEventKinds.TaskStarted, "gate")) with { Output = "\"a b True c\"", Finish = (_, _) => Task.CompletedTask },
        Story("suspended", async (_, c) => $"{await c.RunAsync(GoldenParts.Task("echo"), "old")} {await c.AskAsync(new Proceed("on?"))}", (_, job) => job.UntilAsync(JobEventKinds.QuestionAsked)) with
        {
            Changed = new GoldenAgent("suspended", async (_, c) => await c.RunAsync(GoldenParts.Task("echo"), "new")),
            Output = "\"old True\"",
            Finish = (_, job) => job.ReplyAsync("q1", true),
        },
        .. GoldenWorkflows.All,
        new GoldenStory("loop", new GoldenLoop("loop"), JsonSerializer.SerializeToElement("in é"), GoldenJob.EndAsync),
        new GoldenStory("open-loop", new GoldenLoop("open-loop"), JsonSerializer.SerializeToElement("asks"), (_, job) => job.UntilAsync(JobEventKinds.QuestionAsked)) with
        {
            Output = "\"asks 6 True\"",
            Finish = (_, job) => job.ReplyAsync("q1", true),
        },
        .. GoldenSecondLives.All,
    ]);

    public static GoldenStory Story(string name, Func<string, AgentContext<string, string>, Task<string>> body, Func<GoldenWorld, Job, Task>? drive = null) =>
        new(name, new GoldenAgent(name, body), JsonSerializer.SerializeToElement("in é"), drive ?? GoldenJob.EndAsync);

    private static async Task<string> HearAsync(AgentContext<string, string> context, int count)
    {
        List<string> heard = [];
        while (heard.Count < count)
        {
            await context.Signals.WaitToReadAsync();
            while (context.Signals.TryRead(out string? signal))
                heard.Add(signal);
        }
        return string.Join(' ', heard);
    }
}
