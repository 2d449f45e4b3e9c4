namespace Millstream;

/// <summary>Running an agent for whoever wants the answer and not the job.</summary>
public static class AgentExtensions
{
    /// <summary>Runs the agent on an orchestrator of its own, in memory, and gives its output.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="input">Its input.</param>
    /// <param name="token">Cancels the job when cancelled.</param>
    /// <exception cref="JobFailedException">The job failed.</exception>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public static Task<TOutput> RunAsync<TInput, TOutput, TEvent, TSignal>(this Agent<TInput, TOutput, TEvent, TSignal> agent, TInput input, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(agent);
        return Outside.Run(() => RunAloneAsync(agent, input, token));
    }

    private static async Task<TOutput> RunAloneAsync<TInput, TOutput, TEvent, TSignal>(Agent<TInput, TOutput, TEvent, TSignal> agent, TInput input, CancellationToken token)
    {
        await using AgentOrchestrator orchestrator = new();
        Job<TOutput, TEvent, TSignal> job = await orchestrator.CreateJobAsync(agent, input);
        await using CancellationTokenRegistration registration = token.UnsafeRegister(static state => _ = ((Job)state!).CancelAsync("its caller cancelled"), job);
        return await job.Completion;
    }
}
