using System.Text.Json;

namespace Millstream;

/// <content>What other processes have put into the inboxes of the jobs of this one.</content>
internal sealed partial class DurableJobs
{
    private static readonly TimeSpan InboxPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _offered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Something may lie in an inbox of which the store does not tell.</summary>
    public void Hear() => Interlocked.Exchange(ref _offered, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    /// <summary>Ends <see cref="HearAsync"/>.</summary>
    public void StopHearing() => _stopping.Cancel();

    /// <summary>Delivers what comes.</summary>
    public async Task HearAsync()
    {
        try
        {
            Task changed = Task.CompletedTask;
            while (true)
            {
                if (changed.IsCompleted)
                    changed = storage.WaitForChangeAsync(_stopping.Token);
                Task offered = Volatile.Read(ref _offered).Task;
                await (await TakeInboxesAsync() ? await Task.WhenAny(changed, offered) : Task.Delay(InboxPause, engine.Time, _stopping.Token));
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process is going.
        }
    }

    private async Task<bool> TakeInboxesAsync()
    {
        try
        {
            foreach (InboxEntry entry in await storage.ReadInboxAsync(engine.RunnerEpoch, _stopping.Token))
            {
                if (TryPin(entry.Job) is not { } runner)
                {
                    // When it is back, the inboxes are read again.
                    _ = Wake(entry.Job);
                    continue;
                }
                if (runner.Ties.IsNewInInbox(entry.Number))
                    Deliver(runner, entry);
                runner.Unpin();
            }
            return true;
        }
        catch (JournalStorageException e)
        {
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

    /// <summary>Takes an item out of the inbox with an entry that says why it was not delivered.</summary>
    private static void Refuse(JobRunner runner, InboxEntry entry, string reason)
    {
        const int mostShown = 4096, longestReason = 1000;
        InboxItem item = entry.Item;
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

    private sealed class RefusedDelivery(InboxEntry entry, string reason) : Delivery
    {
        public override void Deliver(JobRunner runner) => Refuse(runner, entry, reason);
    }

    /// <summary>An answer: whether its question is open is known in the job's turn, when what came before it was delivered.</summary>
    private sealed class AnswerDelivery(InboxEntry entry, string question, JsonElement reply) : Delivery
    {
        public override void Deliver(JobRunner runner)
        {
            try
            {
                if (runner.Question(question)?.AnswerAsync(reply, entry.Number) is not { } answer || answer is { IsCompletedSuccessfully: true, Result: SignalResult.UnknownQuestion })
                    Refuse(runner, entry, $"question {question} is not open: it was never asked, is answered, or was withdrawn");
            }
            catch (ArgumentException e)
            {
                Refuse(runner, entry, e.Message);
            }
        }
    }
}
