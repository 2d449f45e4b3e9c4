namespace Millstream;

/// <summary>What a round of a <see cref="LoopAgent{TInput,TOutput,TEvent,TSignal,TState}"/> decides: go on with a state, or end with an output.</summary>
public readonly record struct Next<TState, TOutput>
{
    internal Next(bool isDone, TState? state, TOutput? output) => (IsDone, State, Output) = (isDone, state, output);

    /// <summary>Whether the job ends.</summary>
    public bool IsDone { get; }

    internal TState? State { get; }

    internal TOutput? Output { get; }

    /// <summary>Go on.</summary>
    public static implicit operator Next<TState, TOutput>(Next.Continuing<TState> next) => new(false, next.State, default);

    /// <summary>End.</summary>
    public static implicit operator Next<TState, TOutput>(Next.Ending<TOutput> next) => new(true, default, next.Output);
}

/// <summary>Makes the two decisions of a round.</summary>
public static class Next
{
    /// <summary>The next round starts with this state.</summary>
    public static Continuing<TState> Continue<TState>(TState state) => new(state);

    /// <summary>The job ends with this output.</summary>
    public static Ending<TOutput> Done<TOutput>(TOutput output) => new(output);

    /// <summary>Go on with a state.</summary>
    public readonly record struct Continuing<TState>(TState State);

    /// <summary>End with an output.</summary>
    public readonly record struct Ending<TOutput>(TOutput Output);
}

/// <summary>
/// An agent that goes in rounds from state to state. Between rounds nothing is pending (what a round did not await is stopped; unread
/// signals stay), so a job may start again from there instead of from its beginning: with a store, states are recorded whenever the journal has outgrown
/// the last one. So <c>NextAsync</c> must find all it needs in the state, which becomes JSON and comes back; and a newer version of the agent that takes
/// the state (see <see cref="Agent.CanRun"/>) may go on with the job.
/// </summary>
public abstract class LoopAgent<TInput, TOutput, TEvent, TSignal, TState> : Agent<TInput, TOutput, TEvent, TSignal>
{
    /// <summary>The first state. Pure.</summary>
    protected abstract TState Begin(TInput input);

    /// <summary>One round: what it needs to know is in the state, what it gives is <see cref="Next.Continue"/> or <see cref="Next.Done"/>.</summary>
    protected abstract Task<Next<TState, TOutput>> NextAsync(TState state, AgentContext<TEvent, TSignal> context);

    private protected sealed override PayloadType CheckState(System.Text.Json.JsonSerializerOptions json, List<string> faults) => AgentContract.Check<TState>("state", json, faults);

    /// <inheritdoc/>
    protected sealed override async Task<TOutput> RunCoreAsync(TInput input, AgentContext<TEvent, TSignal> context)
    {
        if (!context.TryTakeState(out TState state))
            state = Begin(input);
        while (true)
        {
            Next<TState, TOutput> next = await NextAsync(state, context);
            if (next.IsDone)
                return next.Output!;
            await context.EndRoundAsync();
            state = context.Checkpoint(next.State!);
        }
    }
}
