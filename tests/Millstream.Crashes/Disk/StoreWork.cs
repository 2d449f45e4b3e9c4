using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Millstream.Crashes.Disk;

/// <summary>Everything that a store is asked, in an order that a seed gives; each wish and each acknowledgement is noted.</summary>
/// <param name="journal">The file.</param>
/// <param name="seed">The seed.</param>
/// <param name="note">Gets the notes, as <see cref="StoreLedger"/> reads them.</param>
internal sealed class StoreWork(string journal, int seed, Action<string> note)
{
    private static readonly DateTimeOffset Time = DateTimeOffset.UnixEpoch;

    private readonly Random _random = new(seed);
    private readonly List<Line> _jobs = [];
    private long _runner;
    private int _offers;

    /// <summary>The store that is open now; null before the first.</summary>
    public SqliteJournalStorage? Store { get; private set; }

    /// <summary>Whether SQLite is told not to sync each commit, as a wrong setting would.</summary>
    public bool IsCareless { get; init; }

    /// <summary>The size of the largest records, in bytes.</summary>
    public int Large { get; init; } = 20_000;

    public async Task RunAsync(int jobs, int steps)
    {
        await OpenAsync();
        await CreateAsync(jobs);
        for (int i = 0; i < steps; i++)
        {
            switch (_random.Next(12))
            {
                case 0 or 1 or 2:
                    await OfferAsync();
                    break;
                case 3:
                    await TakeAsync();
                    break;
                case 4:
                    await RemoveAsync();
                    break;
                case 5:
                    Checkpoint();
                    break;
                case 6:
                    await CloseAsync();
                    await OpenAsync();
                    await ClaimAsync();
                    break;
                default:
                    await AppendAsync();
                    break;
            }
        }
        await CloseAsync();
    }

    /// <summary>One append to the first job that is there, as who goes on after an error would make it.</summary>
    public Task AppendOneAsync() => _jobs.Count > 0 ? AppendAsync([_jobs[0]]) : CreateAsync(1);

    public async Task CloseAsync()
    {
        if (Store is { } open)
            await open.DisposeAsync();
        Store = null;
    }

    private async Task OpenAsync()
    {
        Store = new SqliteJournalStorage(journal);
        if (IsCareless)
            Store.WriterSession.Run("PRAGMA synchronous = NORMAL");
        // So that the log is copied into the file and begun again several times.
        Store.WriterSession.Run("PRAGMA wal_autocheckpoint = 25");
        _runner = await Store.OpenRunnerAsync();
    }

    private async Task CreateAsync(int jobs)
    {
        List<Line> made = [.. Enumerable.Range(1, jobs).Select(i => new Line(JobId.Parse(string.Create(CultureInfo.InvariantCulture, $"j{i}"))))];
        _jobs.AddRange(made);
        await AppendAsync(made);
    }

    private Task AppendAsync() => AppendAsync([.. _jobs.OrderBy(_ => _random.Next()).Take(_random.Next(1, _jobs.Count + 1))]);

    private async Task AppendAsync(List<Line> jobs, long taken = 0, bool ends = false)
    {
        List<JobAppend> batch = [];
        List<string> notes = [];
        foreach (Line job in jobs)
        {
            byte[] bytes = new byte[_random.Next(10) == 0 ? _random.Next(Large) : _random.Next(20, 20 + Large / 8)];
            _random.NextBytes(bytes);
            int count = _random.Next(1, 4);
            batch.Add(new JobAppend
            {
                Job = job.Id, Epoch = job.Epoch, Record = new JournalRecord(job.Next, count, bytes), Taken = taken > 0 ? [taken] : [],
                Head = job.Next == 1 || ends ? new JobHead { Id = job.Id, AgentId = "agent", AgentVersion = "1", Created = Time, Runner = ends ? 0 : _runner, Ended = ends ? Time : null } : null,
            });
            notes.Add(StoreLedger.Append(job.Id, job.Next, bytes));
        }
        foreach (string text in notes)
            note($"try {text}");
        AppendResult[] results = await Store!.AppendAsync(batch);
        for (int i = 0; i < results.Length; i++)
        {
            if (results[i] != AppendResult.Appended)
                throw new InvalidOperationException($"{notes[i]} was refused: {results[i]}");
            note($"ok {notes[i]}");
            jobs[i].Next += batch[i].Record.Count;
        }
    }

    private async Task OfferAsync()
    {
        Line job = Any();
        string text = string.Create(CultureInfo.InvariantCulture, $"offer {job.Id} s{++_offers}");
        note($"try {text}");
        if (await Store!.OfferAsync(job.Id, new InboxItem(1, text.Split(' ')[2], new byte[_random.Next(1, 500)])) != OfferResult.Accepted)
            throw new InvalidOperationException($"{text} was refused");
        note($"ok {text}");
    }

    private async Task TakeAsync()
    {
        if (await Store!.ReadInboxAsync(_runner) is not [var first, ..])
            return;
        note($"try take {first.Job} {first.Item.SenderId}");
        await AppendAsync([_jobs.Single(j => j.Id == first.Job)], first.Number);
    }

    private async Task RemoveAsync()
    {
        if (_jobs.Count < 2)
            return;
        Line job = _jobs[^1];
        await AppendAsync([job], ends: true);
        _jobs.Remove(job);
        note($"try remove {job.Id}");
        if (!await Store!.RemoveAsync(job.Id))
            throw new InvalidOperationException($"{job.Id} was not removed");
        note($"ok remove {job.Id}");
    }

    private void Checkpoint()
    {
        try
        {
            Store!.WriterSession.Number("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            // Here only, where a test asks past the store: what is in the log stays there.
        }
    }

    private async Task ClaimAsync()
    {
        foreach (JobHead head in await Store!.ClaimAsync(_runner))
        {
            note(string.Create(CultureInfo.InvariantCulture, $"ok claim {head.Id} {head.Epoch}"));
            _jobs.Single(j => j.Id == head.Id).Epoch = head.Epoch;
        }
    }

    private Line Any() => _jobs[_random.Next(_jobs.Count)];

    private sealed class Line(JobId id)
    {
        public JobId Id => id;

        public long Epoch { get; set; } = 1;

        public long Next { get; set; } = 1;
    }
}
