using System.Globalization;
using System.Security.Cryptography;

namespace Millstream.Crashes.Disk;

/// <summary>
/// What was asked of a store and what it has acknowledged, noted in words so that they can lie among the calls of a trace. What was asked and not
/// acknowledged may be there or not; what was acknowledged must be.
/// </summary>
internal sealed class StoreLedger
{
    private readonly Dictionary<string, JobLine> _jobs = new(StringComparer.Ordinal);

    /// <summary>How many records and offers must be there.</summary>
    public int Sure => _jobs.Values.Where(j => !j.MayBeGone).Sum(j => j.Sure.Count + j.Offers.Count);

    public static string Append(JobId job, long first, ReadOnlySpan<byte> bytes) => string.Create(CultureInfo.InvariantCulture, $"append {job} {first} {Convert.ToHexString(SHA256.HashData(bytes))}");

    public void Note(string text)
    {
        string[] words = text.Split(' ');
        bool isSure = words[0] == "ok";
        JobLine job = _jobs.TryGetValue(words[2], out JobLine? known) ? known : _jobs[words[2]] = new JobLine();
        switch (words[1])
        {
            case "append":
                long first = long.Parse(words[3], CultureInfo.InvariantCulture);
                job.Asked.Add((first, words[4]));
                if (isSure)
                    job.Sure[first] = words[4];
                break;
            case "offer" when isSure:
                job.Offers.Add(words[3]);
                break;
            case "take":
                job.Offers.Remove(words[3]);
                break;
            case "claim" when isSure:
                job.Epoch = long.Parse(words[3], CultureInfo.InvariantCulture);
                break;
            case "remove":
                (job.MayBeGone, job.IsGone) = (true, isSure);
                break;
        }
    }

    /// <summary>Opens the journal anew and tells what is missing or wrong. It must take more, too.</summary>
    public async Task<List<string>> CheckAsync(string journal)
    {
        List<string> faults = [];
        List<JobAppend> more = [];
        await using SqliteJournalStorage store = new(journal);
        long runner = await store.OpenRunnerAsync();
        await store.ClaimAsync(runner);
        Dictionary<string, JobHead> heads = new(StringComparer.Ordinal);
        await foreach (JobHead head in store.ListAsync(new JobHeadFilter()))
            heads.Add(head.Id.Value, head);
        HashSet<(string, string?)> inbox = [.. (await store.ReadInboxAsync(runner)).Select(e => (e.Job.Value, e.Item.SenderId))];
        foreach ((string id, JobLine job) in _jobs)
        {
            if (!heads.TryGetValue(id, out JobHead? head))
            {
                if (job.Sure.Count > 0 && !job.MayBeGone)
                    faults.Add($"job {id} is gone");
                continue;
            }
            if (job.IsGone)
                faults.Add($"job {id} was removed and is back");
            Dictionary<long, string> there = [];
            long next = 1;
            await foreach (JournalRecord record in store.ReadAsync(head.Id, 1))
            {
                if (record.First != next)
                    faults.Add($"job {id} has record {record.First} where {next} should be");
                there[record.First] = Convert.ToHexString(SHA256.HashData(record.Bytes.Span));
                if (!job.Asked.Contains((record.First, there[record.First])))
                    faults.Add($"record {record.First} of job {id} is not what was written");
                next = record.First + record.Count;
            }
            if (job.MayBeGone)
                continue;
            faults.AddRange(job.Sure.Where(s => there.GetValueOrDefault(s.Key) != s.Value).Select(s => $"record {s.Key} of job {id} was acknowledged and is lost"));
            if (head.Epoch < job.Epoch)
                faults.Add($"job {id} was claimed under epoch {job.Epoch} and has {head.Epoch}");
            if (head.Ended is null)
                faults.AddRange(job.Offers.Where(o => !inbox.Contains((id, o))).Select(o => $"offer {o} to job {id} was accepted and is lost"));
            if (head.Ended is null)
                more.Add(new JobAppend { Job = head.Id, Epoch = head.Epoch, Record = new JournalRecord(next, 1, new byte[] { 1 }) });
        }
        AppendResult[] results = await store.AppendAsync(more);
        faults.AddRange(more.Where((_, i) => results[i] != AppendResult.Appended).Select(m => $"job {m.Job} takes no more"));
        return faults;
    }

    private sealed class JobLine
    {
        public HashSet<(long, string)> Asked { get; } = [];

        public Dictionary<long, string> Sure { get; } = [];

        public HashSet<string> Offers { get; } = [];

        public long Epoch { get; set; } = 1;

        public bool MayBeGone { get; set; }

        public bool IsGone { get; set; }
    }
}
