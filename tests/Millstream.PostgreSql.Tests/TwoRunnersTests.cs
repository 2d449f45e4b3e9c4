namespace Millstream.PostgreSql.Tests;

/// <summary>Two runners that write, give away, claim and write late, in an order that a seed gives: nothing accepted is lost, nothing refused is there, and they never wait in a ring.</summary>
public sealed class TwoRunnersTests : PostgreSqlTest
{
    private const int Jobs = 30, Rounds = 60;

    private static readonly JobId[] Ids = [.. Enumerable.Range(0, Jobs).Select(i => JobId.Parse($"j{i}"))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Random_NothingIsLost(int seed)
    {
        await using PostgreSqlJournalStorage one = Open(), two = Open();
        object? deadlocks = await SqlAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'");
        List<string>[] accepted = [.. Ids.Select(_ => new List<string>())];
        await one.AppendAsync([.. Ids.Select(id => Made(id))]);
        Meeting meeting = new();
        int[] refused = await Task.WhenAll(new[] { one, two }.Select((store, who) => Task.Run(async () =>
        {
            try
            {
                return await WorkAsync(store, who, new Random((seed * 10) + who), accepted, meeting);
            }
            finally
            {
                meeting.Leave();
            }
        })));
        Assert.NotEqual(0, refused.Sum());
        for (int job = 0; job < Jobs; job++)
        {
            List<string> stored = [];
            await foreach (JournalRecord record in one.ReadAsync(Ids[job], 2))
                stored.Add($"{record.First} {System.Text.Encoding.UTF8.GetString(record.Bytes.Span)}");
            Assert.Equal(accepted[job].OrderBy(r => long.Parse(r.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)), stored);
        }
        Assert.Equal(deadlocks, await SqlAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"));
    }

    /// <returns>How many appends were refused since the other has the job.</returns>
    private static async Task<int> WorkAsync(PostgreSqlJournalStorage store, int who, Random random, List<string>[] accepted, Meeting meeting)
    {
        long runner = await store.OpenRunnerAsync();
        Dictionary<int, (long Epoch, long Next)> known = [];
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            // Neither runs away, and both write at the same time.
            await meeting.BothAsync();
            if (random.Next(3) == 0)
            {
                foreach (JobHead head in await store.ClaimAsync(runner, random.Next(2) == 0 ? null : Ids[random.Next(Jobs)]))
                {
                    long next = 1;
                    await foreach (JournalRecord record in store.ReadAsync(head.Id, 1))
                        next = record.First + record.Count;
                    known[Array.IndexOf(Ids, head.Id)] = (head.Epoch, next);
                }
                continue;
            }
            // In any order, and also those that it has lost without knowing.
            int[] jobs = [.. known.Keys.Where(_ => random.Next(3) > 0)];
            random.Shuffle(jobs);
            string text = $"{who}.{round}";
            bool[] givesAway = [.. jobs.Select(_ => random.Next(2) == 0)];
            AppendResult[] results = await store.AppendAsync([.. jobs.Select((job, i) => new JobAppend
            {
                Job = Ids[job], Epoch = known[job].Epoch, Record = new JournalRecord(known[job].Next, 1, System.Text.Encoding.UTF8.GetBytes(text)), Head = givesAway[i] ? Head(Ids[job]) : null,
            })]);
            foreach ((int job, AppendResult result) in jobs.Zip(results))
            {
                if (result == AppendResult.Appended)
                {
                    lock (accepted[job])
                        accepted[job].Add($"{known[job].Next} {text}");
                    known[job] = (known[job].Epoch, known[job].Next + 1);
                    continue;
                }
                Assert.Equal(AppendResult.Fenced, result);
                refused++;
                if (random.Next(2) == 0)
                    known.Remove(job);
            }
        }
        return refused;
    }

    private sealed class Meeting
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource? _waiting;
        private bool _isOver;

        public Task BothAsync()
        {
            lock (_gate)
            {
                if (_isOver)
                    return Task.CompletedTask;
                if (_waiting is null)
                    return (_waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                _waiting.SetResult();
                _waiting = null;
                return Task.CompletedTask;
            }
        }

        /// <summary>One is done, or has failed: the other does not wait for it.</summary>
        public void Leave()
        {
            lock (_gate)
            {
                _isOver = true;
                _waiting?.SetResult();
                _waiting = null;
            }
        }
    }
}
