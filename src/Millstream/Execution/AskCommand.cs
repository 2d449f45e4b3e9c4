using System.Text.Json;

namespace Millstream;

/// <summary>An open question. It holds no lease and may stay open for days.</summary>
internal abstract class AskCommand(string questionId, object question, PayloadType replyType) : PendingCommand, IOpenQuestion
{
    private int _isOver;
    private object? _reply;
    private bool _isStopped;
    private AnswerReceipt? _receipt;

    public string QuestionId => questionId;

    public object Question => question;

    public PayloadType ReplyType => replyType;

    public override string Waker => $"an answer to question {questionId} ({question.GetType().Name})";

    public override bool IsPassive => true;

    public override JournalEntry CommandEntry() => Entry(EntryKind.QuestionAsked, questionId, question, PayloadType.OfRuntime);

    public override JournalEntry StopEntry() => Entry(EntryKind.QuestionWithdrawing, questionId);

    public override void Restore(JournalEntry end)
    {
        (_isOver, _isStopped) = (1, end.Kind == EntryKind.QuestionWithdrawn);
        if (!_isStopped)
            _reply = JobRunner.ReadPayload(replyType, end.Payload);
    }

    public override void Start()
    {
        // It is open as soon as it is durable; nothing is to be done.
    }

    public override void Stop() => TryEnd(null, isStopped: true, null);

    public Task<SignalResult> AnswerAsync(JsonElement reply, long inboxNumber = 0)
    {
        object? value;
        try
        {
            value = replyType.Read(reply);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new ArgumentException($"The reply to question {questionId} ({question.GetType().Name}) is no {replyType.Type.Name}: {e.Message}", nameof(reply), e);
        }
        AnswerReceipt receipt = new() { InboxNumber = inboxNumber };
        return TryEnd(value, isStopped: false, receipt) ? receipt.Result : Task.FromResult(SignalResult.UnknownQuestion);
    }

    public override void Deliver(JobRunner runner)
    {
        base.Deliver(runner);
        if (_receipt is null)
            return;
        runner.TakeFromInbox(_receipt.InboxNumber);
        runner.AnswerWhenDurable(_receipt);
    }

    public override void Dropped(JobRunner runner) => _receipt?.Dropped(runner);

    protected override JournalEntry EndEntry() => _isStopped
        ? Entry(EntryKind.QuestionWithdrawn, questionId)
        : Entry(EntryKind.QuestionAnswered, questionId, _reply, replyType);

    protected override void Settle() => Settle(_reply, _isStopped);

    protected abstract void Settle(object? reply, bool isStopped);

    private bool TryEnd(object? reply, bool isStopped, AnswerReceipt? receipt)
    {
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.AnswerAcceptedTwice) && receipt is not null) _isOver = 0;
#endif
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
            return false;
        (_reply, _isStopped, _receipt) = (reply, isStopped, receipt);
        Runner.Enqueue(this);
        return true;
    }

    private sealed class AnswerReceipt : SentDelivery
    {
        public override void Deliver(JobRunner runner) => runner.AnswerWhenDurable(this);
    }
}

/// <inheritdoc/>
internal sealed class AskCommand<TReply>(string questionId, Question<TReply> question) : AskCommand(questionId, question, PayloadType.Of<TReply>())
{
    private readonly TaskCompletionSource<TReply> _promise = new();

    public Task<TReply> Task => _promise.Task;

    protected override void Settle(object? reply, bool isStopped)
    {
        if (isStopped)
            _promise.TrySetCanceled(StoppedBy);
        else
            _promise.TrySetResult((TReply)reply!);
    }
}
