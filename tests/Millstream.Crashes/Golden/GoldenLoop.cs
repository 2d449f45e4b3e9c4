using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Golden;

/// <summary>Rounds whose journal outgrows their state, so that the state is recorded.</summary>
internal sealed class GoldenLoop(string id) : LoopAgent<string, string, string, string, GoldenLoop.Rounds>
{
    private const int Last = 6;

    public override string Id => id;

    protected override Rounds Begin(string input) => new(input, 0);

    protected override async Task<Next<Rounds, string>> NextAsync(Rounds state, AgentContext<string, string> context)
    {
        context.Emit($"round {state.Number} {new string('é', 5_000)}");
        await context.RunAsync(GoldenParts.Task("echo"), "a turn");
        if (state.Number < Last)
            return Next.Continue(state with { Number = state.Number + 1 });
        bool go = state.Input != "asks" || await context.AskAsync(new Proceed("on?"));
        return Next.Done(FormattableString.Invariant($"{state.Input} {state.Number} {go}"));
    }

    internal sealed record Rounds(string Input, int Number);
}
