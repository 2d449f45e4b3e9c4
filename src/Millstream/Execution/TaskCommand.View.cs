namespace Millstream;

/// <content>What outsiders see of it.</content>
internal abstract partial class TaskCommand
{
    public AgentTaskInfo Info()
    {
        TaskRequest? waiting;
        lock (this)
        {
            DateTimeOffset since = new(_since, TimeSpan.Zero);
            if ((_attempt ?? _ended) is { } last)
                since = new DateTimeOffset(Math.Max(_since, last.WallStart), TimeSpan.Zero);
            if (_attempt is { } attempt)
                return new AgentTaskInfo(Subject, _isStopped ? AgentTaskStatus.Stopping : AgentTaskStatus.Running, _attempts, $"{(_isStopped ? "stops" : "runs")} on worker {attempt.Grant.Worker.Name}", since);
            if (_isInDoubt)
                return new AgentTaskInfo(Subject, AgentTaskStatus.Waiting, _attempts, $"may have run; somebody has to say what became of it (question {QuestionId})", since);
            if (BackOff is not null && Missing is { } missing)
                return new AgentTaskInfo(Subject, AgentTaskStatus.Waiting, _attempts + 1, $"waits for {missing.Message}", since);
            if (BackOff is not null && Refusal is not null)
                return new AgentTaskInfo(Subject, AgentTaskStatus.Waiting, _attempts + 1, $"waits, since its resource was busy: {Refusal}", since);
            if (BackOff is not null)
                return new AgentTaskInfo(Subject, AgentTaskStatus.Retrying, _attempts + 1, $"is tried again after a failure (attempt {_attempts + 1} of {Policy.Retry.Attempts})", since);
            waiting = _request;
            if (_isOver || waiting is null)
                return new AgentTaskInfo(Subject, AgentTaskStatus.Waiting, Math.Max(1, _attempts), "waits for its job's turn", since);
        }
        return new AgentTaskInfo(Subject, AgentTaskStatus.Waiting, _attempts + 1, Runner.Engine.Fleet.Explain(waiting), new DateTimeOffset(_since, TimeSpan.Zero));
    }
}
