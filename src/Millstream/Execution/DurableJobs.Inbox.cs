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
                    if (runner.Question(answer.GetProperty("question").GetString()!)?.AnswerAsync(answer.GetProperty("reply"), entry.Number) is not { IsCompletedSuccessfully: true } refused || refused.Result != SignalResult.UnknownQuestion)
                        return;
                    break;
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException or NotSupportedException or KeyNotFoundException)
        {
            runner.Engine.Log.InboxItemRefused(runner.Id, e.Message);
        }
        runner.Enqueue(new RefusedDelivery(entry.Number));
    }

    private sealed class RefusedDelivery(long number) : Delivery
    {
        public override void Deliver(JobRunner runner) => runner.TakeFromInbox(number);
    }
}
