namespace Millstream;

/// <summary>Makes a new job of the first entries of another one, which is left as it is.</summary>
internal static class JobFork
{
    // A record is read as a whole, so it must not grow with the job.
    private const int LargeRecord = 256 * 1024;

    /// <summary>Checks that a fork may begin behind an entry: where a turn ends, or at a note between two turns.</summary>
    /// <exception cref="ArgumentException">It may not; the message names the nearest numbers.</exception>
    public static async Task CheckAsync(IJournalStorage storage, JobHead job, long at, CancellationToken token = default)
    {
        if (job.Id.IsChild)
            throw new ArgumentException($"Job {job.Id} is a child and goes on with its parent; fork job {job.Id.Root}.", nameof(job));
        ArgumentOutOfRangeException.ThrowIfLessThan(at, 1);
        await foreach (JournalRecord record in storage.ReadAsync(job.Id, at, token))
        {
            // Turns are appended in one piece, so what is near is in the same record.
            List<JournalEntry> entries = EntryReader.Read(job.Id, record, null, out _, await Beside.LoadAsync(storage, job.Id, record, token));
            JournalEntry entry = entries[(int)(at - record.First)];
            if (IsBetweenTurns(entry))
                return;
            long below = entries.LastOrDefault(e => e.Number < at && IsBetweenTurns(e))?.Number ?? record.First - 1;
            if (entry.IsEnding)
                throw new ArgumentException($"Entry {at} is the last one of job {job.Id}, and a fork from there would have nothing to do; give less than {at}{(below > 0 ? $", at most {below}" : "")}.", nameof(at));
            long? above = entries.FirstOrDefault(e => e.Number > at && IsBetweenTurns(e))?.Number;
            string[] near = [.. ((long?[])[below, above]).Where(n => n > 0).Select(n => $"{n}")];
            throw new ArgumentException($"Entry {at} of job {job.Id} is inside a turn, and a fork begins behind the end of one; {(near.Length > 0 ? $"the nearest {(near.Length > 1 ? "are" : "is")} {string.Join(" and ", near)}" : "there is none")}.", nameof(at));
        }
        JournalEntry? last = null, good = null;
        await foreach (JournalRecord record in storage.ReadAsync(job.Id, Math.Max(1, job.Checkpoint), token))
        {
            foreach (JournalEntry entry in EntryReader.Read(job.Id, record, null, out _, await Beside.LoadAsync(storage, job.Id, record, token)))
                (last, good) = (entry, IsBetweenTurns(entry) ? entry : good);
        }
        throw new ArgumentException($"Job {job.Id} has {last?.Number ?? 0} entries, so there is no entry {at}{(good is null ? "" : $"; give at most {good.Number}")}.", nameof(at));
    }

    /// <summary>Copies the entries 1 to <paramref name="at"/>, which <see cref="CheckAsync"/> has found good, and adds the note that says where they are from.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="from">The job that is copied.</param>
    /// <param name="at">The last entry that is copied.</param>
    /// <param name="to">The head that the new job has when all is there.</param>
    /// <param name="token">Stops copying; nothing is left then.</param>
    /// <returns>The head as it was stored.</returns>
    /// <exception cref="InvalidOperationException">There is a job with the new id.</exception>
    public static async Task<JobHead> CopyAsync(IJournalStorage storage, JobHead from, long at, JobHead to, CancellationToken token = default)
    {
        EntryWriter bytes = new();
        Chain chain = Chain.Start(to.Id), read = Chain.Start(from.Id);
        long first = 1, next = 1, time = 0;
        try
        {
            await foreach (JournalRecord record in storage.ReadAsync(from.Id, 1, token))
            {
                if (record.First != next)
                    throw new JournalDamagedException(from.Id, record.First, $"should be at {next}");
                foreach (JournalEntry entry in EntryReader.Read(from.Id, record, read, out read, await Beside.LoadAsync(storage, from.Id, record, token)).TakeWhile(e => e.Number <= at))
                {
                    bytes.Write(Moved(entry, from.Id, to.Id));
                    (next, time) = (entry.Number + 1, entry.Time);
                    if (entry.Kind == EntryKind.Checkpoint)
                        to = to with { Checkpoint = entry.Number };
                    // Until all is there nobody may take it up: to the store it has ended.
                    if (bytes.Size >= LargeRecord && entry.Number < at && IsBetweenTurns(entry))
                        await AppendAsync(to with { Status = JobStatus.Cancelled, Runner = 0, Ended = to.Created, Detail = $"entries 1 to {at} of job {from.Id} were not copied to their end" });
                }
                if (next > at)
                    break;
            }
            if (next <= at)
                throw new JournalStorageException($"Job {from.Id} was removed from {storage.Location} while it was copied.");
            bytes.Write(new JournalEntry(EntryKind.Forked, Math.Max(time, to.Created.UtcTicks)) { Payload = new ForkOf(from.Id.Value, at) });
            next++;
            await AppendAsync(to);
            return to;
        }
        catch (Exception) when (first > 1)
        {
            await storage.RemoveAsync(to.Id, CancellationToken.None);
            throw;
        }

        async Task AppendAsync(JobHead head)
        {
            Memory<byte> record = bytes.Take(out IReadOnlyList<JournalBlob> blobs);
            chain = chain.Next(record.Span[EntryWriter.HeaderSize..]);
            chain.WriteTo(record.Span[1..]);
            JobAppend append = new() { Job = to.Id, Epoch = 1, Record = new JournalRecord(first, (int)(next - first), record), Blobs = blobs, Head = head };
            AppendResult result = (await storage.AppendAsync([append], token))[0];
            if (result == AppendResult.Conflict && first == 1)
                throw new InvalidOperationException($"There is a job {to.Id} already; give the fork another id.");
            if (result != AppendResult.Appended)
                throw new JournalStorageException($"Job {to.Id} was changed by somebody else while it was made of job {from.Id} ({result}).");
            first = next;
        }
    }

    private static bool IsBetweenTurns(JournalEntry entry) => entry.IsNote || (entry.EndsTurn && !entry.IsEnding);

    /// <summary>The entry under the new id: children have other ids, and the row of ids and random numbers goes on that was begun under the old one.</summary>
    private static JournalEntry Moved(JournalEntry entry, JobId from, JobId to) => new(entry.Kind, entry.Time)
    {
        Command = entry.Command,
        Attempt = entry.Attempt,
        Subject = entry.IsOfChild ? to.Value + entry.Subject![from.Value.Length..] : entry.Subject,
        Payload = entry.Payload switch
        {
            StartOf start => start with { Seed = start.Seed ?? from.Value },
            CheckpointOf checkpoint => checkpoint with { Seed = checkpoint.Seed ?? from.Value },
            _ => entry.Payload,
        },
        PayloadType = entry.PayloadType,
        EndsTurn = entry.EndsTurn,
    };
}
