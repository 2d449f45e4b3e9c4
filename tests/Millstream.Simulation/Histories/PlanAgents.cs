namespace Millstream.Simulation;

/// <summary>Runs a plan, whose number is the input.</summary>
internal sealed class PlanAgent : Agent<int, int, int, int>
{
    public static PlanAgent Instance { get; } = new();

    protected override async Task<int> RunCoreAsync(int input, AgentContext<int, int> context)
    {
        Body body = new(History.Current, context);
        await body.RunAsync(History.Current.Plans[input].Rounds[0]);
        return input;
    }
}

/// <summary>Runs a plan round by round.</summary>
internal sealed class PlanLoopAgent : LoopAgent<int, int, int, int, PlanState>
{
    public static PlanLoopAgent Instance { get; } = new();

    protected override PlanState Begin(int input) => new(input, 0);

    protected override async Task<Next<PlanState, int>> NextAsync(PlanState state, AgentContext<int, int> context)
    {
        Body body = new(History.Current, context);
        PlanNode[] rounds = History.Current.Plans[state.Plan].Rounds;
        await body.RunAsync(rounds[state.Round]);
        if (state.Round + 1 < rounds.Length)
            return Next.Continue(state with { Round = state.Round + 1 });
        return Next.Done(state.Plan);
    }
}

internal sealed record PlanState(int Plan, int Round);

/// <summary>What bodies ask; the number is the question's own.</summary>
internal sealed record Which(int Number) : Question<int>;

internal sealed class PlannedException() : Exception("as planned");
