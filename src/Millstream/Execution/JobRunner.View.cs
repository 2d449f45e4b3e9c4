using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Text.Json;

namespace Millstream;

/// <content>What outsiders see. Called from any thread.</content>
internal sealed partial class JobRunner
{
    private volatile bool _isPaused;

    public bool IsPaused
    {
        get => _isPaused;
        set => _isPaused = value;
    }

    public JobStatus Status
    {
        get
        {
            if (_ended is { } ended)
                return ended switch { JobEnding.Completed => JobStatus.Completed, JobEnding.Failed => JobStatus.Failed, _ => JobStatus.Cancelled };
            lock (_gate)
            {
                if (_stopped)
                    return JobStatus.Suspended;
                if (_isPaused)
                    return JobStatus.Paused;
                if (_body is null)
                    return JobStatus.Created;
                if (_scheduled)
                    return JobStatus.Running;
                for (PendingCommand? command = _active + _children == 0 ? null : _firstPending; command is not null; command = command.NextPending)
                {
                    if (command is TaskCommand { IsRunning: true } or ChildCommand { IsRunning: true })
                        return JobStatus.Running;
                }
            }
            return JobStatus.Waiting;
        }
    }

    /// <summary>The tasks that have not ended.</summary>
    public IReadOnlyList<AgentTaskInfo> Tasks() => [.. Pending<TaskCommand>().Select(t => t.Info())];

    /// <summary>The first task that has not ended under each of these ids, a run of a fan-out counting for its task. Only these are explained, which costs.</summary>
    public IReadOnlyDictionary<string, AgentTaskInfo> FirstTasks(IEnumerable<string> ids)
    {
        Dictionary<string, AgentTaskInfo> found = new(StringComparer.Ordinal);
        HashSet<string> left = new(ids, StringComparer.Ordinal);
        if (left.Count == 0)
            return found;
        foreach (TaskCommand task in Pending<TaskCommand>())
        {
            int run = task.Subject.IndexOf('[', StringComparison.Ordinal);
            if (!left.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(run < 0 ? task.Subject : task.Subject.AsSpan(0, run), out string? id))
                continue;
            found.Add(id, task.Info());
            left.Remove(id);
            if (left.Count == 0)
                break;
        }
        return found;
    }

    /// <summary>What will wake the job: of a job that waits there is always something.</summary>
    public IReadOnlyList<string> WaitsFor()
    {
        if (_ended is not null)
            return [];
        List<string> wakers = [.. Pending<PendingCommand>().Select(c => c.Waker)];
        if (_signals?.IsWaiting == true)
            wakers.Add("a signal");
        return wakers;
    }

    /// <summary>The open question of that id.</summary>
    public IOpenQuestion? Question(string id) => OpenQuestions().Find(a => a.QuestionId == id);

    /// <summary>The open questions.</summary>
    public IReadOnlyList<OpenQuestion> Questions() => [.. OpenQuestions().Select(q => new OpenQuestion(q.QuestionId, q.Question))];

    private List<IOpenQuestion> OpenQuestions() => [.. Pending<PendingCommand>().Where(c => c is AskCommand or TaskCommand { IsInDoubt: true }).Cast<IOpenQuestion>()];

    public string AgentId => Agent.Id;

    public string AgentVersion => Agent.Version;

    public AgentContract Contract => Agent.Contract;

    public JobRunner InMemory => this;

    public async IAsyncEnumerable<(JournalEntry Entry, long Number)> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        JobJournal.Cursor cursor = Journal.ReadFrom(from);
        do
        {
            token.ThrowIfCancellationRequested();
            while (cursor.TryRead(out long number) is { } entry)
                yield return (entry, number);
        }
        while (await cursor.WaitAsync(token));
        // A stream that is cut must not look like one that is over.
        if (StoreError is { } error)
            ExceptionDispatchInfo.Throw(error);
    }

    public Task<SignalResult> SignalAsync(JsonElement signal, string? id)
    {
        _engine.Check("the signal", signal);
        return SendAsync(new SignalDelivery(ReadSignal(Agent.Id, Agent.Contract, signal), id));
    }

    public Task<SignalResult> AnswerAsync(string questionId, JsonElement reply)
    {
        if (Ended is not null)
            return Task.FromResult(SignalResult.JobEnded);
        _engine.Check("the answer", reply);
        return Question(questionId)?.AnswerAsync(reply) ?? Task.FromResult(SignalResult.UnknownQuestion);
    }

    public Task<SignalResult> CancelAsync(string? reason)
    {
        _engine.Check("the reason of the cancel", JsonSerializer.SerializeToElement(reason));
        return SendAsync(new CancelDelivery(reason));
    }

    public Task<SignalResult> SendAsync(SentDelivery sent)
    {
        if (Ended is not null)
            return Task.FromResult(SignalResult.JobEnded);
        Enqueue(sent);
        return sent.Result;
    }

    /// <summary>Reads a signal.</summary>
    /// <exception cref="ArgumentException">It does not fit the agent's signal type.</exception>
    public static object? ReadSignal(string agentId, AgentContract contract, JsonElement signal)
    {
        PayloadType type = contract.Signal;
        try
        {
            return type.Read(signal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new ArgumentException($"This is not a signal of agent {agentId} ({type.Type.Name}): {e.Message}", nameof(signal), e);
        }
    }
}
