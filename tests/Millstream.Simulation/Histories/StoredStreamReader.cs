namespace Millstream.Simulation;

/// <summary>Reads one job's stream in one process after the other; what was seen once must be seen again, byte for byte.</summary>
internal sealed class StoredStreamReader(DurableHistory history, DurableWorld world, JobId id)
{
    private readonly StoredRecord _job = history.Audit.Find(id)!;
    private long _next = 1;
    private SimulatedProcess? _in;

    public override string ToString() => $"a reader of {id} that wants {_next}{(_in is null ? "" : $" in {_in}")}";

    public async Task ReadAsync()
    {
        Random random = history.Random;
        _next = random.Next(3) == 0 ? 1 + random.Next(20) : 1;
        while (_job.Ending is not { } last || _next <= last.Number)
        {
            CancellationTokenSource leave = new();
            if (random.Next(3) == 0)
                history.Later(random.Next(300), leave.Cancel);
            SimulatedProcess process = _in = await world.AnyAsync();
            try
            {
                await DurableWorld.TryAsync(() => ReadSomeAsync(process, random.Next(3) == 0 ? random.Next(10) : int.MaxValue, leave.Token));
            }
            catch (OperationCanceledException) when (leave.IsCancellationRequested)
            {
                // It comes back.
            }
            await world.PauseAsync(60);
            // Some begin again.
            if (random.Next(5) == 0)
                _next = 1;
        }
    }

    private async Task ReadSomeAsync(SimulatedProcess process, int most, CancellationToken token)
    {
        if (await process.CallAsync(() => process.Orchestrator.GetJobAsync(id)) is not { } job)
        {
            history.Fail($"{this} does not find it in {process}");
            return;
        }
        IAsyncEnumerator<JobEvent> events = job.EventsAsync(_next, token).GetAsyncEnumerator(CancellationToken.None);
        for (int read = 0; read < most; read++)
        {
            if (!await process.CallAsync(() => events.MoveNextAsync().AsTask()))
            {
                if (_job.Ending is not { } last || _next <= last.Number)
                    CheckEnd(process, job);
                return;
            }
            Check(events.Current);
            _next++;
        }
    }

    // A stream that ends early is that of a job that this process has lost.
    private void CheckEnd(SimulatedProcess process, Job job)
    {
        if (process.Store.Owns(_job.Runner) && !process.IsBroken && job.Source.InMemory is { IsStopped: false })
            history.Fail($"{this} was told that the stream is over, at {_job.Entries.Count} entries", _job.Record);
    }

    private void Check(JobEvent seen)
    {
        if (seen.Seq != _next)
            history.Fail($"{this} got {seen.Seq}", _job.Record);
        if (_next > _job.Entries.Count)
        {
            history.Fail($"{this} saw it before it was durable", _job.Record);
            return;
        }
        if (seen.Time.UtcTicks != _job.Entries[(int)_next - 1].Entry.Time)
            history.Fail($"{this} saw another entry there than is recorded", _job.Record);
        string text = seen.ToJson();
        if (!_job.Seen.TryAdd(_next, text) && _job.Seen[_next] != text)
            history.Fail($"{this} saw\n  {text}\nand earlier\n  {_job.Seen[_next]}", _job.Record);
    }
}
