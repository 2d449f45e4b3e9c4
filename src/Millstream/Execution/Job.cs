using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Millstream;

/// <summary>A running or ended agent, without its types: what a dashboard or a command works with. Disposing it, or leaving a stream, detaches; only a cancel cancels.</summary>
public class Job : IAsyncDisposable
{
    private readonly JobRunner _runner;

    internal Job(JobRunner runner) => _runner = runner;

    /// <summary>The id.</summary>
    public JobId Id => _runner.Id;

    /// <summary>The agent's id.</summary>
    public string AgentId => _runner.Agent.Id;

    /// <summary>The agent's version.</summary>
    public string AgentVersion => _runner.Agent.Version;

    /// <summary>What it is doing now.</summary>
    public JobStatus Status => _runner.Status;

    /// <summary>Its tasks that have not ended, with what each waits for.</summary>
    public IReadOnlyList<AgentTaskInfo> Tasks => _runner.Tasks();

    /// <summary>What will wake it, one sentence each; empty only for a job that runs or has ended.</summary>
    public IReadOnlyList<string> WaitsFor => _runner.WaitsFor();

    /// <summary>How it ended, as a value. Done when the last entry can be read.</summary>
    public Task<JobEnding> Ending => _runner.Ending;

    /// <summary>Its questions that are open, oldest first.</summary>
    public IReadOnlyList<OpenQuestion> Questions => [.. _runner.Questions().Select(q => new OpenQuestion(q.QuestionId, q.Question))];

    internal JobRunner Runner => _runner;

    /// <summary>
    /// The whole stream from a number on: everything recorded so far, then what comes, until the last entry. Any number of readers may read at
    /// their own pace. It ends without an exception however the job ends.
    /// </summary>
    /// <param name="from">The first number wanted; 1 is the first there is.</param>
    /// <param name="token">Stops reading; the job goes on.</param>
    public IAsyncEnumerable<JobEvent> EventsAsync(long from = 1, CancellationToken token = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        return ReadAsync(from, token);
    }

    /// <summary>Sends a signal as JSON.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="id">The sender's id of it: a second one with the same id is dropped.</param>
    /// <exception cref="ArgumentException">It does not fit the agent's signal type.</exception>
    public Task<SignalResult> SignalAsync(JsonElement signal, string? id = null)
    {
        PayloadType type = _runner.Agent.Contract.Signal;
        try
        {
            return SendAsync(new SignalDelivery(type.Read(signal), id));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new ArgumentException($"This is not a signal of agent {AgentId} ({type.Type.Name}): {e.Message}", nameof(signal), e);
        }
    }

    /// <summary>Answers a question as JSON.</summary>
    /// <param name="questionId">Its id, as in <c>q1</c>.</param>
    /// <param name="reply">The reply.</param>
    /// <exception cref="ArgumentException">It does not fit the question's reply type.</exception>
    public Task<SignalResult> AnswerAsync(string questionId, JsonElement reply)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(questionId);
        if (_runner.Ended is not null)
            return Task.FromResult(SignalResult.JobEnded);
        return _runner.Question(questionId)?.AnswerAsync(reply) ?? Task.FromResult(SignalResult.UnknownQuestion);
    }

    /// <summary>Answers a question.</summary>
    /// <exception cref="ArgumentException">It does not fit the question's reply type.</exception>
    public Task<SignalResult> AnswerAsync<TReply>(string questionId, TReply reply) => AnswerAsync(questionId, PayloadType.Of<TReply>().Write(reply));

    /// <summary>Cancels the job: recorded and pushed at once; it has ended when <see cref="Ending"/> is done. A second cancel changes nothing.</summary>
    public Task<SignalResult> CancelAsync(string? reason = null) => SendAsync(new CancelDelivery(reason));

    /// <summary>The same job with its types.</summary>
    /// <exception cref="InvalidOperationException">They are not those of the job's agent; the message shows both.</exception>
    public Job<TOutput, TEvent, TSignal> As<TOutput, TEvent, TSignal>()
    {
        AgentContract contract = _runner.Agent.Contract;
        if (contract.Output.Type != typeof(TOutput) || contract.Event.Type != typeof(TEvent) || contract.Signal.Type != typeof(TSignal))
            throw new InvalidOperationException($"Job {Id} of agent {AgentId} is {contract}; asked for was {typeof(TOutput).Name}, events {typeof(TEvent).Name}, signals {typeof(TSignal).Name}.");
        return new Job<TOutput, TEvent, TSignal>(_runner);
    }

    /// <summary>Detaches; the job goes on.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private protected Task<SignalResult> SendAsync(SentDelivery sent)
    {
        if (_runner.Ended is not null)
            return Task.FromResult(SignalResult.JobEnded);
        _runner.Enqueue(sent);
        return sent.Result;
    }

    private async IAsyncEnumerable<JobEvent> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        JobJournal.Cursor cursor = _runner.Journal.ReadFrom(from);
        do
        {
            token.ThrowIfCancellationRequested();
            while (cursor.TryRead(out long number) is { } entry)
                yield return new EntryEvent(_runner.Id, entry, number);
        }
        while (await cursor.WaitAsync(token));
    }
}

/// <summary>A running or ended agent with its types.</summary>
public sealed class Job<TOutput, TEvent, TSignal> : Job
{
    private Task<TOutput>? _completion;

    internal Job(JobRunner runner) : base(runner)
    {
    }

    /// <summary>The output.</summary>
    /// <exception cref="JobFailedException">The job failed.</exception>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public Task<TOutput> Completion => _completion ?? Interlocked.CompareExchange(ref _completion, Outside.Run(CompleteAsync), null) ?? _completion;

    /// <summary>The events that the agent emitted, from a number of the stream on; see <see cref="Job.EventsAsync"/>.</summary>
    /// <param name="from">The first number wanted.</param>
    /// <param name="token">Stops reading; the job goes on.</param>
    public IAsyncEnumerable<TEvent> StreamAsync(long from = 1, CancellationToken token = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        return ReadAsync(from, token);
    }

    /// <summary>Sends a signal.</summary>
    /// <param name="signal">The signal; to be treated as immutable.</param>
    /// <param name="id">The sender's id of it: a second one with the same id is dropped.</param>
    public Task<SignalResult> SignalAsync(TSignal signal, string? id = null) => SendAsync(new SignalDelivery(signal, id));

    private async Task<TOutput> CompleteAsync() => await Ending switch
    {
        JobEnding.Completed completed => (TOutput)completed.Output!,
        JobEnding.Failed failed => throw new JobFailedException(Id, failed.Error),
        JobEnding.Cancelled cancelled => throw new JobCancelledException(Id, cancelled.Reason),
        _ => throw new InvalidOperationException($"Job {Id} ended in no known way."),
    };

    private async IAsyncEnumerable<TEvent> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        JobJournal.Cursor cursor = Runner.Journal.ReadFrom(from);
        do
        {
            token.ThrowIfCancellationRequested();
            while (cursor.TryRead(out _) is { } entry)
            {
                if (entry.Kind == EntryKind.Event)
                    yield return (TEvent)entry.Payload!;
            }
        }
        while (await cursor.WaitAsync(token));
    }
}
