using System.Text.Json;

namespace Millstream;

/// <content>Between two rounds of a loop agent a job is its state and little else, so a replay can start there.</content>
internal sealed partial class JobRunner
{
    private CheckpointOf? _from;
    private bool _isStateTooLarge;

    /// <summary>The checkpoint that the body starts from, until it has taken the state; null where it starts with its input.</summary>
    public CheckpointOf? From => _from;

    /// <summary>
    /// Whether the round that begins is to be recorded with its state: live, when what a replay would have to read has outgrown the last state,
    /// so that all states together stay in proportion to the journal; in a replay, where it was.
    /// </summary>
    public bool IsCheckpointDue()
    {
        if (_recorded is { } recorded)
            return _turn.Entries.Count < recorded.Length && recorded.Span[_turn.Entries.Count].Kind == EntryKind.Checkpoint;
        return Journal is StoredJobJournal { IsCheckpointDue: true } && !_isCancelled;
    }

    /// <summary>Records the state of a round that begins.</summary>
    /// <param name="state">The state.</param>
    /// <param name="type">How it becomes JSON.</param>
    /// <param name="context">What the context keeps.</param>
    /// <returns>The state as a replay will see it; as it was where it is too large to be recorded.</returns>
    public object? Checkpoint(object? state, PayloadType type, ContextState context)
    {
        byte[] json = type.ToBytes(state);
        CheckpointOf checkpoint = new(context, _commands, _passedOn, [.. _senders ?? []], json, ForkSeed);
        if (checkpoint.Size > _engine.MaxPayload)
        {
            if (!_isStateTooLarge)
                _engine.Log.StateTooLarge(Id, json.Length, _engine.MaxPayload);
            _isStateTooLarge = true;
            return state;
        }
        JournalEntry entry = new(EntryKind.Checkpoint, Now) { Payload = checkpoint };
        Add(entry);
        _turn.Checkpoint = entry;
        return type.Read(json);
    }

    /// <summary>Gives the state that the body starts from.</summary>
    public bool TryTakeState<TState>(PayloadType type, out TState state)
    {
        state = default!;
        if (_from is not { } from)
            return false;
        _from = null;
        try
        {
            state = (TState)type.Read(from.State.Span)!;
            return true;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            Suspend($"the code of agent {Agent.Id} {Agent.Version} does not take the state that this job has reached ({type.Type.Name}): {e.Message} Bring back the code that ran it, or code that takes that state, then resume the job; nothing is lost.");
            throw new OperationCanceledException("the job is suspended");
        }
    }

    private void BeginFrom(CheckpointOf checkpoint)
    {
        (_from, _commands, _passedOn, ForkSeed) = (checkpoint, checkpoint.Commands, checkpoint.PassedOn, checkpoint.Seed);
        foreach (string sender in checkpoint.Senders)
            IsNewSender(sender);
        BeginBody(null);
        if (_from is not null)
            Suspend($"the code of agent {Agent.Id} {Agent.Version} has no rounds any more, but this job has to go on from the state of one. Bring back the code that ran it, then resume the job; nothing is lost.");
    }

    private sealed class CheckpointDelivery(JournalEntry entry) : Delivery
    {
        public override void Deliver(JobRunner runner)
        {
            var checkpoint = (CheckpointOf)entry.Payload!;
            runner.Add(new JournalEntry(EntryKind.Checkpoint, entry.Time) { Payload = checkpoint });
            runner.BeginFrom(checkpoint);
        }
    }
}
