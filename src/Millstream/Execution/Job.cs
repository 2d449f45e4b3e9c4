using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Millstream;

/// <summary>A running or ended agent, without its types: what a dashboard or a command works with. Disposing it, or leaving a stream, detaches; only a cancel cancels.</summary>
public class Job : IAsyncDisposable
{
    private readonly IJobSource _source;

    internal Job(IJobSource source) => _source = source;

    /// <summary>The id.</summary>
    public JobId Id => _source.Id;

    /// <summary>The agent's id.</summary>
    public string AgentId => _source.AgentId;

    /// <summary>The agent's version.</summary>
    public string AgentVersion => _source.AgentVersion;

    /// <summary>What it is doing now.</summary>
    public JobStatus Status => _source.Status;

    /// <summary>Its tasks that have not ended, with what each waits for.</summary>
    public IReadOnlyList<AgentTaskInfo> Tasks => _source.Tasks();

    /// <summary>What will wake it, one sentence each; empty only for a job that runs or has ended.</summary>
    public IReadOnlyList<string> WaitsFor => _source.WaitsFor();

    /// <summary>How it ended, as a value. Done when the last entry can be read.</summary>
    public Task<JobEnding> Ending => _source.Ending;

    /// <summary>Its questions that are open, oldest first.</summary>
    public IReadOnlyList<OpenQuestion> Questions => _source.Questions();

    internal IJobSource Source => _source;

    internal JobRunner Runner => (JobRunner)_source;

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
    public Task<SignalResult> SignalAsync(JsonElement signal, string? id = null) => _source.SignalAsync(signal, id);

    /// <summary>Answers a question as JSON.</summary>
    /// <param name="questionId">Its id, as in <c>q1</c>.</param>
    /// <param name="reply">The reply.</param>
    /// <exception cref="ArgumentException">It does not fit the question's reply type.</exception>
    public Task<SignalResult> AnswerAsync(string questionId, JsonElement reply)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(questionId);
        return _source.AnswerAsync(questionId, reply);
    }

    /// <summary>Answers a question.</summary>
    /// <exception cref="ArgumentException">It does not fit the question's reply type.</exception>
    public Task<SignalResult> AnswerAsync<TReply>(string questionId, TReply reply) => AnswerAsync(questionId, PayloadType.Of<TReply>().Write(reply));

    /// <summary>Cancels the job: recorded and pushed at once; it has ended when <see cref="Ending"/> is done. A second cancel changes nothing.</summary>
    public Task<SignalResult> CancelAsync(string? reason = null) => _source.CancelAsync(reason);

    /// <summary>The same job with its types.</summary>
    /// <exception cref="InvalidOperationException">They are not those of the job's agent; the message shows both.</exception>
    public Job<TOutput, TEvent, TSignal> As<TOutput, TEvent, TSignal>()
    {
        if (_source.Contract is not { } contract)
            throw new InvalidOperationException($"Job {Id} belongs to agent {AgentId} {AgentVersion}, which is not registered here, so its types are not known.");
        if (contract.Output.Type != typeof(TOutput) || contract.Event.Type != typeof(TEvent) || contract.Signal.Type != typeof(TSignal))
            throw new InvalidOperationException($"Job {Id} of agent {AgentId} is {contract}; asked for was {typeof(TOutput).Name}, events {typeof(TEvent).Name}, signals {typeof(TSignal).Name}.");
        return new Job<TOutput, TEvent, TSignal>(_source);
    }

    /// <summary>Detaches; the job goes on.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private async IAsyncEnumerable<JobEvent> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        await foreach ((JournalEntry entry, long number) in _source.ReadAsync(from, token))
            yield return new EntryEvent(Id, entry, number);
    }
}

/// <summary>A running or ended agent with its types.</summary>
public sealed class Job<TOutput, TEvent, TSignal> : Job
{
    private Task<TOutput>? _completion;

    internal Job(IJobSource source) : base(source)
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
    public Task<SignalResult> SignalAsync(TSignal signal, string? id = null) => Source is JobRunner runner
        ? runner.SendAsync(new SignalDelivery(runner.Copy(PayloadType.Of<TSignal>(), signal), id)) : Source.SignalAsync(PayloadType.Of<TSignal>().Write(signal), id);

    private async Task<TOutput> CompleteAsync() => await Ending switch
    {
        JobEnding.Completed completed => (TOutput)completed.Output!,
        JobEnding.Failed failed => throw new JobFailedException(Id, failed.Error),
        JobEnding.Cancelled cancelled => throw new JobCancelledException(Id, cancelled.Reason),
        _ => throw new InvalidOperationException($"Job {Id} ended in no known way."),
    };

    private async IAsyncEnumerable<TEvent> ReadAsync(long from, [EnumeratorCancellation] CancellationToken token)
    {
        await foreach ((JournalEntry entry, _) in Source.ReadAsync(from, token))
        {
            if (entry.Kind == EntryKind.Event)
                yield return (TEvent)entry.Payload!;
        }
    }
}
