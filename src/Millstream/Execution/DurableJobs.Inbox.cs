using System.Text.Json;

namespace Millstream;

/// <content>What other processes have put into the inboxes of the jobs of this one.</content>
internal sealed partial class DurableJobs
{
    private static readonly TimeSpan InboxPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _offered = new();
    private Task _changed = Task.CompletedTask;

    /// <summary>Something may lie in an inbox of which the store does not tell. Who says so does not run on with what follows from it.</summary>
    public void Hear() => engine.Executor.Schedule(new Offered(this));

    /// <summary>Ends <see cref="HearAsync"/>.</summary>
    public void StopHearing() => _stopping.Cancel();

    /// <summary>Delivers what comes.</summary>
    public async Task HearAsync()
    {
        try
        {
            while (true)
            {
                if (!await TakeInboxesAsync())
                    await Task.Delay(InboxPause, engine.Time, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process is going.
        }
    }

    /// <summary>Delivers what lies there, and waits for more; false when the store failed.</summary>
    private async Task<bool> TakeInboxesAsync()
    {
        try
        {
            // A change while it is read must not be missed.
            if (_changed.IsCompleted)
                _changed = storage.WaitForChangeAsync(_stopping.Token);
            Task offered = Volatile.Read(ref _offered).Task;
            foreach (InboxEntry entry in await storage.ReadInboxAsync(engine.RunnerEpoch, _stopping.Token))
            {
                if (TryPin(entry.Job) is not { } runner)
                {
                    // When it is back, the inboxes are read again.
                    _ = Wake(entry.Job);
                    continue;
                }
#if MILLSTREAM_PLANTED_BUGS
                if (PlantedBugs.Is(Bug.InboxItemTakenEarly)) { ((StoredJobJournal)runner.Journal).TakeFromInbox(entry.Number); ((StoredJobJournal)runner.Journal).Touch(); }
#endif
                if (runner.Ties.IsNewInInbox(entry.Number))
                    Deliver(runner, entry);
                runner.Unpin();
            }
            await await Task.WhenAny(_changed, offered);
            return true;
        }
        catch (JournalStorageException e)
        {
#if MILLSTREAM_PLANTED_BUGS
            if (PlantedBugs.Is(Bug.DeafAfterFailure)) await new TaskCompletionSource().Task;
#endif
            engine.Log.InboxFailed(e);
            return false;
        }
    }

    private static void Deliver(JobRunner runner, InboxEntry entry)
    {
        InboxItem item = entry.Item;
        try
        {
            switch (item.Kind)
            {
                case InboxKind.Signal:
                    runner.Enqueue(new SignalDelivery(runner.Contract.Signal.Read(item.Payload.Span), item.SenderId) { InboxNumber = entry.Number });
                    return;
                case InboxKind.Cancel:
                    runner.Enqueue(new CancelDelivery(JsonSerializer.Deserialize<string>(item.Payload.Span)) { InboxNumber = entry.Number });
                    return;
                case InboxKind.Answer:
#if MILLSTREAM_PLANTED_BUGS
                    if (PlantedBugs.Is(Bug.AnswerBeforeReplay) && runner.Question(JsonSerializer.Deserialize<JsonElement>(item.Payload.Span).GetProperty("question").GetString()!) is null) return;
#endif
                    // A job that is being brought back does not know its questions yet; it does when its mailbox gives this.
                    JsonElement answer = JsonSerializer.Deserialize<JsonElement>(item.Payload.Span);
                    runner.Enqueue(new AnswerDelivery(entry, answer.GetProperty("question").GetString()!, answer.GetProperty("reply")));
                    return;
                default:
                    runner.Enqueue(new RefusedDelivery(entry, $"items of kind {item.Kind} are not known to this version"));
                    return;
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException or NotSupportedException or KeyNotFoundException)
        {
            runner.Enqueue(new RefusedDelivery(entry, $"it does not fit: {e.Message}"));
        }
    }

    private sealed class Offered(DurableJobs jobs) : IThreadPoolWorkItem
    {
        public void Execute() => Interlocked.Exchange(ref jobs._offered, new TaskCompletionSource()).TrySetResult();
    }

    /// <summary>Takes an item out of the inbox with an entry that says why it was not delivered.</summary>
    /// <param name="runner">The job.</param>
    /// <param name="entry">The item.</param>
    /// <param name="reason">Why.</param>
    /// <param name="isLate">Whether somebody else was only faster: then nobody has to look into it, and nothing is logged.</param>
    private static void Refuse(JobRunner runner, InboxEntry entry, string reason, bool isLate = false)
    {
        const int mostShown = 4096, longestReason = 1000;
        InboxItem item = entry.Item;
        if (!isLate)
            runner.Engine.Log.InboxItemRefused(runner.Id, reason);
        runner.TakeFromInbox(entry.Number);
        JsonElement? data = null;
        if (item.Payload.Length <= mostShown)
        {
            try
            {
                data = JsonSerializer.Deserialize<JsonElement>(item.Payload.Span);
            }
            catch (JsonException)
            {
                // The reason says so.
            }
        }
        string kind = item.Kind switch { InboxKind.Signal => "signal", InboxKind.Cancel => "cancel", InboxKind.Answer => "answer", _ => $"{item.Kind}" };
        RefusalOf refusal = new(kind, item.SenderId, reason.Length > longestReason ? reason[..longestReason] + "…" : reason, data);
        runner.Add(new JournalEntry(EntryKind.Refused, runner.Now) { Payload = refusal });
    }

    private sealed class RefusedDelivery(InboxEntry entry, string reason, bool isLate = false) : Delivery
    {
        public override void Deliver(JobRunner runner) => Refuse(runner, entry, reason, isLate);
    }

    /// <summary>An answer: whether its question is open is known in the job's turn, when what came before it was delivered.</summary>
    private sealed class AnswerDelivery(InboxEntry entry, string question, JsonElement reply) : Delivery
    {
        public override void Deliver(JobRunner runner)
        {
            string closed = $"question {question} is not open: it was never asked, is answered, or was withdrawn";
            try
            {
                Task<SignalResult>? answered = runner.Question(question)?.AnswerAsync(reply, entry.Number);
                if (answered is null)
                    Refuse(runner, entry, closed, isLate: true);
                else if (answered is { IsCompletedSuccessfully: true, Result: SignalResult.UnknownQuestion })
                    // Another answer is on its way: this one stays in the inbox until that one is recorded.
                    runner.Enqueue(new RefusedDelivery(entry, closed, isLate: true));
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                Refuse(runner, entry, e.Message);
            }
        }
    }
}
