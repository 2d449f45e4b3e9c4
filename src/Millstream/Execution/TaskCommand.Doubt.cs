using System.Text.Json;

namespace Millstream;

/// <content>A task that must not be repeated and may have run: a person decides.</content>
internal abstract partial class TaskCommand : IOpenQuestion
{
    private bool _isInDoubt;
    private bool _isDecided;

    /// <summary>Whether a person has to say what became of it.</summary>
    public bool IsInDoubt => Volatile.Read(ref _isInDoubt);

    public override bool IsPassive => IsInDoubt;

    public string QuestionId => $"t{Number}";

    public object Question => new TaskInDoubt(Subject, _attempts, $"{Runner.Id}/{Number}");

    /// <summary>Takes a decision, once.</summary>
    public Task<SignalResult> AnswerAsync(JsonElement reply, long inboxNumber)
    {
        TaskDecision decision;
        try
        {
            decision = (TaskDecision?)PayloadType.Of<TaskDecision>().Read(reply) ?? throw new JsonException("null");
            if (decision.Action == TaskDecisionAction.Complete)
                _ = task.OutputType.Read(decision.Output ?? throw new JsonException("the output is missing"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new ArgumentException($"This does not decide about task {Subject} ({QuestionId}): {e.Message} Give {{\"action\":\"retry\"}}, {{\"action\":\"complete\",\"output\":…}} or {{\"action\":\"fail\",\"reason\":…}}.", nameof(reply), e);
        }
        lock (this)
        {
            if (!_isInDoubt || _isDecided || _isStopped)
                return System.Threading.Tasks.Task.FromResult(SignalResult.UnknownQuestion);
            _isDecided = true;
        }
        DecisionDelivery delivery = new(this, decision) { InboxNumber = inboxNumber };
        Runner.Enqueue(delivery);
        return delivery.Result;
    }

    /// <summary>The decision as it was recorded.</summary>
    public Delivery DecisionOf(JournalEntry entry) => new DecisionDelivery(this, (TaskDecision)entry.Payload!);

    /// <summary>It may have run. Asks, unless the question stands in the journal.</summary>
    private void Doubt(bool isAsked)
    {
        lock (this)
        {
            (_request, Decision, _isDecided) = (null, null, false);
            Runner.Recount(this, () => _isInDoubt = true);
            _since = Runner.Engine.UtcTicks;
        }
        if (!isAsked)
            Runner.Note(new JournalEntry(EntryKind.TaskInDoubt) { Command = Number, Subject = Subject, Attempt = _attempts });
    }

    private void Decide(TaskDecision decision)
    {
        lock (this)
            Runner.Recount(this, () => (_isInDoubt, Decision) = (false, decision));
        if (Runner.IsReplaying)
            return;
        if (decision.Action == TaskDecisionAction.Retry)
            Runner.StartAgain(this);
        else
            EndAsDecided(decision);
    }

    private void EndAsDecided(TaskDecision decision)
    {
        if (decision.Action == TaskDecisionAction.Complete)
            End(task.OutputType.Read(decision.Output!.Value), null, isCompleted: true);
        else
            End(null, new TaskError(Subject, _attempts, ErrorTypes.InDoubt, decision.Reason ?? $"task {Subject} may have run, and was decided to have failed", false));
    }

    private sealed class DecisionDelivery(TaskCommand command, TaskDecision decision) : SentDelivery
    {
        public override void Deliver(JobRunner runner)
        {
            runner.TakeFromInbox(InboxNumber);
            if (command.IsEnded)
            {
                // Its stop was faster.
                runner.AnswerWhenDurable(this, SignalResult.UnknownQuestion);
                return;
            }
            runner.Add(new JournalEntry(EntryKind.TaskDecided, runner.Now) { Command = command.Number, Subject = command.Subject, Attempt = command._attempts, Payload = decision });
            runner.AnswerWhenDurable(this);
            command.Decide(decision);
        }
    }
}
