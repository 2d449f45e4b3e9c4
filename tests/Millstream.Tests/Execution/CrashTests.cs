using System.Collections.Concurrent;

namespace Millstream.Tests;

/// <summary>
/// The same job, with its store failing at each of its appends in turn, before and after the append is done; and at random, several times in one job.
/// What was acknowledged must be there, and nothing that is finished may run again.
/// </summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Job_StoreFailsAtEachAppend_LosesNothing(bool isDone)
    {
        int at = 1;
        // Until it was not reached any more.
        while (await new Run([(at, isDone)]).RunAsync() > 0)
            at++;
        // Less than one for each turn, since what waits is written together.
        Assert.True(at > 8, $"the job made {at} appends only");
    }

    [Fact]
    public async Task Job_StoreFailsAtRandomSeveralTimes_LosesNothing()
    {
        for (int seed = 1; seed <= 40; seed++)
        {
            Random random = new(seed);
            (int, bool)[] crashes = [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ => (random.Next(1, 15), random.Next(2) == 0))];
            try
            {
                await new Run(crashes).RunAsync();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}, crashes {string.Join(' ', crashes)}: {e.Message}", e);
            }
        }
    }

    private sealed class Run((int Append, bool IsDone)[] crashes)
    {
        private static readonly JobId Id = JobId.Parse("the-job");

        private readonly ConcurrentQueue<string> _ran = new();
        private readonly HashSet<string> _finished = new(StringComparer.Ordinal);
        private readonly List<string> _seen = [];
        private readonly HashSet<string> _accepted = [];
        private MemoryJournalStorage _storage = new();
        private Task _reading = Task.CompletedTask;
        private Task _driving = Task.CompletedTask;

        /// <summary>Runs the job to its end over all crashes, and gives how many there were.</summary>
        public async Task<int> RunAsync()
        {
            int crashed = 0;
            foreach ((int append, bool isDone) in crashes)
            {
                FailingStorage dying = new(_storage, append, isDone);
                bool isOver = await LiveAsync(dying, dying.Failed);
                await _reading;
                await _driving;
                if (isOver)
                    break;
                crashed++;
                await CheckStoreAsync();
                await _storage.DisposeAsync();
                _storage = _storage.Reopen();
            }
            if (crashed == crashes.Length)
                Assert.True(await LiveAsync(_storage, new TaskCompletionSource().Task));
            await _reading;
            await _driving;
            await CheckEndAsync();
            await _storage.DisposeAsync();
            return crashed;
        }

        /// <summary>One life of the process; true when the job has ended in it.</summary>
        private async Task<bool> LiveAsync(IJournalStorage storage, Task death)
        {
            AgentTask<string, string> work = AgentTask.Create<string, string>("work", async (input, context) =>
            {
                _ran.Enqueue(context.IdempotencyKey);
                Assert.DoesNotContain(context.IdempotencyKey, _finished);
                await Task.Yield();
                return input.StartsWith("flaky", StringComparison.Ordinal) && context.Attempt == 1 ? throw new InvalidDataException("once") : input.ToUpperInvariant();
            }, policy: new TaskPolicy { Retry = new RetryPolicy { Attempts = 3, Delay = TimeSpan.FromMilliseconds(1) } });
            TestAgent<string, string> child = new(async (input, c) =>
            {
                c.Emit($"child of {input}");
                string part = await c.RunAsync(work, $"flaky {input}");
                await c.DelayAsync(TimeSpan.FromMilliseconds(2));
                return part;
            }, "child");
            TestAgent<string, string> parent = new(async (input, c) =>
            {
                List<string> parts = [];
                c.Emit("began");
                parts.Add(await c.RunAsync(work, "one"));
                Task<string> helper = c.RunAsync(child, "c");
                parts.AddRange(await c.RunAllAsync(work, ["a", "b", "d"]));
                bool go = await c.AskAsync(new Proceed("on?"));
                while (parts.Count < 7)
                {
                    await c.Signals.WaitToReadAsync();
                    while (c.Signals.TryRead(out string? signal))
                        parts.Add(signal);
                    c.Emit($"heard {parts.Count}");
                }
                parts.Add(await helper);
                return $"{go} {string.Join(',', parts)}";
            }, "parent");
            AgentOrchestrator orchestrator = new(new OrchestratorOptions { Journal = storage, Agents = new AgentRegistry().Add(parent).Add(child), GracePeriod = TimeSpan.FromMilliseconds(50) });
            await using (orchestrator)
            {
                try
                {
                    await orchestrator.StartAsync();
                    Job<string, string, string> job = await orchestrator.CreateJobAsync(parent, "in", new JobOptions { Id = Id });
                    _reading = ReadAsync(job);
                    _driving = DriveAsync(job);
                    await Task.WhenAny(job.Ending, death);
                    return job.Ending.IsCompletedSuccessfully;
                }
                catch (Exception e) when (e is JournalStorageException or JobSuspendedException or JobDetachedException)
                {
                    return false;
                }
            }
        }

        /// <summary>A reader that comes back with the next number after each crash.</summary>
        private async Task ReadAsync(Job job)
        {
            try
            {
                await foreach (JobEvent e in job.EventsAsync(_seen.Count + 1))
                {
                    lock (_seen)
                    {
                        Assert.Equal(_seen.Count + 1, e.Seq);
                        _seen.Add(e.ToJson());
                    }
                }
            }
            catch (JournalStorageException)
            {
                // It comes back.
            }
        }

        private async Task DriveAsync(Job<string, string, string> job)
        {
            try
            {
                await foreach (JobEvent e in job.EventsAsync())
                {
                    if (e.Kind == JobEventKinds.QuestionAsked)
                        await job.AnswerAsync(e.Question!, true);
                    if (e.Kind != JobEventKinds.QuestionAnswered)
                        continue;
                    foreach (string signal in (string[])["s1", "s2", "s3"])
                    {
                        // Sent again after each crash, as a sender does that has not heard; those that were accepted must not come twice.
                        if (await job.SignalAsync(signal, signal) is SignalResult.Accepted)
                            Assert.True(_accepted.Add(signal), $"{signal} was accepted twice");
                    }
                }
            }
            catch (Exception e) when (e is JournalStorageException or JobSuspendedException or JobDetachedException)
            {
                // The next life sends it again.
            }
        }

        /// <summary>What is stored after a crash: all that was seen is there, unchanged.</summary>
        private async Task CheckStoreAsync()
        {
            foreach (JobHead head in await _storage.ListAsync(new JobHeadFilter { Children = true }).ToListAsync())
            {
                RecoveredJob job = await Recovery.ReadAsync(_storage, head, 0, CancellationToken.None);
                foreach (JournalEntry entry in job.Entries.Where(e => e.Kind is EntryKind.TaskCompleted))
                    _finished.Add($"{head.Id}/{entry.Command}");
            }
        }

        private async Task CheckEndAsync()
        {
            await using AgentOrchestrator reader = new(new OrchestratorOptions { Journal = _storage, Claim = false });
            await reader.StartAsync();
            Job job = (await reader.GetJobAsync(Id))!;
            List<string> stream = await job.LinesAsync();
            Assert.Equal(Enumerable.Range(1, stream.Count).Select(n => $"{{\"seq\":{n},"), stream.Select(l => l[..(l.IndexOf(',') + 1)]));
            Assert.Equal(_seen, stream.Take(_seen.Count));
            Assert.Contains("\"output\":\"True ONE,A,B,D,s1,s2,s3,FLAKY C\"", stream[^1], StringComparison.Ordinal);
            List<JobEvent> events = await job.AllAsync();
            Assert.Single(events, e => e.Kind == JobEventKinds.Event && e.Job.IsChild);
            Assert.Equal(1, events.Count(e => e.Kind is JobEventKinds.JobCompleted));
            Assert.Equal(3, events.Count(e => e.Kind == JobEventKinds.Signal));
            Assert.Equal(5, _ran.Distinct().Count());
        }
    }
}
