namespace Millstream.Simulation;

/// <summary>What must hold of the journal of a job that has ended in a store, over all processes that had it.</summary>
internal sealed class StoredJournalAudit(DurableHistory history, StoredRecord stored) : JournalAudit(history, stored.Record)
{
    private readonly JobRecord _job = stored.Record;

    protected override void CheckSignals(List<int> recorded)
    {
        HashSet<int> known = [.. recorded];
        if (known.Count != recorded.Count)
            Fail($"a signal is recorded twice: {string.Join(',', recorded)}");
        foreach (SentSignal sent in _job.Sent.Where(s => s.Result == SignalResult.Accepted && !known.Contains(s.Value)))
        {
            // What lies in the inbox when the job ends is over; a second one with a sender's id is dropped.
            bool isLeft = sent.IsOffered && history.Inbox(_job.Id).Any(e => e.Item.Kind == InboxKind.Signal && System.Text.Json.JsonSerializer.Deserialize<int>(e.Item.Payload.Span) == sent.Value);
            bool isDropped = sent is { IsOffered: true, Id: not null } && _job.Sent.Exists(s => s.Id == sent.Id && known.Contains(s.Value));
            if (!isLeft && !isDropped)
                Fail($"signal {sent.Value} was accepted and is not recorded");
        }
        foreach (int value in known.Where(v => !_job.Sent.Exists(s => s.Value == v && (s.Result == SignalResult.Accepted || s.IsInDoubt))))
            Fail($"signal {value} is recorded, and its sender heard {_job.Sent.Find(s => s.Value == value)?.Result}");
        foreach (IGrouping<string?, SentSignal> same in _job.Sent.Where(s => s.Id is not null && known.Contains(s.Value)).GroupBy(s => s.Id).Where(g => g.Count() > 1))
            Fail($"signal id {same.Key} is recorded {same.Count()} times");
        foreach (SentSignal duplicate in _job.Sent.Where(s => s.Result == SignalResult.Duplicate && !s.IsInDoubt && !_job.Sent.Exists(f => f != s && f.Id == s.Id && (f.Result == SignalResult.Accepted || known.Contains(f.Value) || f.IsInDoubt))))
            Fail($"signal {duplicate.Value} was refused as a duplicate of nothing");
        // From a checkpoint on, a body gets what came after it.
        List<int> got = _job.Body.Received;
        if (!Enumerable.Range(0, stored.HasCheckpoint ? recorded.Count - got.Count + 1 : 1).Any(skipped => recorded.Skip(skipped).Take(got.Count).SequenceEqual(got)))
            Fail($"recorded are signals {string.Join(',', recorded)}, the body got {string.Join(',', _job.Body.Received)}");
    }

    protected override void CheckAnswers(List<JournalEntry> recorded)
    {
        HashSet<int> known = [.. recorded.Select(e => JobRecord.Int(e.Payload))];
        if (known.Count != recorded.Count)
            Fail("an answer is recorded twice");
        foreach (SentAnswer answer in _job.Answers.Where(a => a is { Result: SignalResult.Accepted, IsOffered: false } && !known.Contains(a.Value)))
            Fail($"answer {answer.Value} was accepted and is not recorded");
        foreach (int value in known.Where(v => !_job.Answers.Exists(a => a.Value == v && (a.Result == SignalResult.Accepted || a.IsInDoubt))))
            Fail($"answer {value} is recorded, and its sender heard {_job.Answers.Find(a => a.Value == value)?.Result}");
        foreach ((int question, int reply) in _job.Body.Replies)
        {
            if (!known.Contains(reply) || !_job.Answers.Exists(a => a.Question == question && a.Value == reply))
                Fail($"question {question} got reply {reply}, which nobody gave");
        }
    }

    protected override void CheckMore()
    {
        if (stored.Head is not { Ended: not null } head || head.Status != Ending())
            Fail($"its head says {stored.Head?.Status} in the end");
        if (_job.IsCancelAccepted && !stored.IsCancelling && !stored.HasReturned && !history.Inbox(_job.Id).Any(e => e.Item.Kind == InboxKind.Cancel))
            Fail("a cancel was accepted and is not recorded");
        foreach ((JobId id, List<long> shown) in stored.Shown.Where(s => s.Key.Value.Count(c => c == '/') == _job.Id.Value.Count(c => c == '/') + 1))
            CheckShown(id, shown);
    }

    private JobStatus Ending() => stored.Ending!.Kind switch { EntryKind.JobCompleted => JobStatus.Completed, EntryKind.JobFailed => JobStatus.Failed, _ => JobStatus.Cancelled };

    // Each durable entry of a child once, in its order.
    private void CheckShown(JobId child, List<long> shown)
    {
        List<long> wanted = [.. history.Audit.Find(child)!.Entries.Select(e => e.Entry).Where(e => !e.IsEnding && e.Kind is not (EntryKind.JobStarted or EntryKind.JobReturned or EntryKind.JobCancelling
            or EntryKind.TaskDelta or EntryKind.Flush or EntryKind.Flushed or EntryKind.Resumed or EntryKind.Checkpoint or EntryKind.Superseded)).Select(e => e.Number)];
        if (!shown.SequenceEqual(wanted))
            Fail($"of {child} it shows {string.Join(',', shown)}, and not {string.Join(',', wanted)}");
    }
}
