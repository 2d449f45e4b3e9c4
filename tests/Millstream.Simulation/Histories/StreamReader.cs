namespace Millstream.Simulation;

/// <summary>Reads one job's stream, stops now and then, comes back, and checks what it sees.</summary>
internal sealed class StreamReader(History history, JobRecord job)
{
    private long _next = 1;
    private bool _isWaiting;

    public bool IsDone { get; private set; }

    public override string ToString() => $"a reader of {job.Id} that wants {_next}";

    /// <summary>Whether it waits although there is something for it, while nothing in the simulation is left to do.</summary>
    public bool IsForgotten => _isWaiting && (_next <= job.Journal.Written || job.Journal.IsClosed);

    public async Task ReadAsync(Job handle)
    {
        Random random = history.Random;
        _next = random.Next(3) == 0 ? 1 + random.Next(20) : 1;
        while (!IsDone)
        {
            CancellationTokenSource leave = new();
            if (random.Next(3) == 0)
                history.Later(random.Next(100), leave.Cancel);
            int most = random.Next(3) == 0 ? random.Next(10) : int.MaxValue;
            try
            {
                if (await ReadSomeAsync(handle, most, leave.Token))
                    IsDone = true;
            }
            catch (OperationCanceledException) when (leave.IsCancellationRequested)
            {
                _isWaiting = false;
            }
            if (!IsDone)
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), history.Time);
            // Some begin again.
            if (!IsDone && random.Next(5) == 0)
                _next = 1;
        }
    }

    private async Task<bool> ReadSomeAsync(Job handle, int most, CancellationToken token)
    {
        await using IAsyncEnumerator<JobEvent> events = handle.EventsAsync(_next, token).GetAsyncEnumerator(CancellationToken.None);
        for (int read = 0; read < most; read++)
        {
            _isWaiting = true;
            bool more = await events.MoveNextAsync();
            _isWaiting = false;
            if (!more)
            {
                if (_next <= job.Journal.Entries.Count || !job.HasEnded && !job.Journal.IsClosed)
                    history.Fail($"{this} was told that the stream is over, at {job.Journal.Entries.Count} entries", job);
                return true;
            }
            Check(events.Current);
            _next++;
        }
        return false;
    }

    private void Check(JobEvent seen)
    {
        JournalEntry entry = job.Journal.Entries[(int)Math.Min(_next, job.Journal.Entries.Count) - 1].Entry;
        if (seen.Seq != _next)
            history.Fail($"{this} got {seen.Seq}", job);
        if (!job.IsDurable(_next))
            history.Fail($"{this} saw it before it was durable", job);
        for (ChildPointer? child = entry.Payload as ChildPointer; child is not null; child = child.Entry.Payload as ChildPointer)
        {
            if (!history.Job(child.Child).IsDurable(child.Entry.Number))
                history.Fail($"{this} saw entry {child.Entry.Number} of {child.Child} before it was durable", job);
        }
        if (seen.Time.UtcTicks != entry.Time)
            history.Fail($"{this} saw another entry there than is recorded", job);
        if (history.Random.Next(50) == 0 && !seen.ToJson().Contains($"\"seq\":{_next},", StringComparison.Ordinal))
            history.Fail($"{this} saw {seen.ToJson()}", job);
    }
}
