using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>One round of an LLM agent: what came in, one call of the model, the tools that it calls.</summary>
internal sealed class LlmTurn(LlmLoop loop, ToolBox tools, AgentContext<LlmEvent, LlmSignal> context)
{
    private readonly LlmInbox _inbox = new(context);

    public async Task<Next<LlmState, object?>> RunAsync(LlmState state)
    {
        _inbox.Drain();
        state = _inbox.TakeIn(state);
        state = await WhileInterruptedAsync(state);
        if (LimitCheck.BeforeTurn(state, context.Now) is { } reached)
        {
            if (await ActAsync(state, reached) is not { } allowed)
                return HandOver(state, reached);
            state = await WhileInterruptedAsync(allowed);
        }
        // The last turn that there may be is for the answer, if that is to be handed over.
        if (state.Limits is { Action: LimitAction.HandOver, Turns: { } turns } && state.Turn + 1 == turns)
            state = state with { IsLast = true };
        state = await ContextReduction.ReduceAsync(state, loop.Options.Context, context);
        return await CallAsync(state with { Turn = state.Turn + 1 });
    }

    private async Task<LlmState> WhileInterruptedAsync(LlmState state)
    {
        while (state.IsInterrupted)
        {
            await _inbox.WaitAsync();
            state = _inbox.TakeIn(state);
        }
        return state;
    }

    private async Task<Next<LlmState, object?>> CallAsync(LlmState state)
    {
        using CancellationTokenSource stop = new();
        Task? timeIsUp = LimitCheck.TimeLeft(state, context.Now) is { } left ? context.DelayAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero) : null;
        LlmReply reply;
        try
        {
            reply = await AskModelAsync(state, stop, timeIsUp);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !context.Cancelled.IsCancellationRequested)
        {
            return Next.Continue(_inbox.TakeIn(state));
        }
        Trace(reply);
        Reply read = Reply.Of(reply, state);
        state = state with { Usage = Sum(state.Usage, reply.Usage), Cost = state.Cost + (reply.Cost ?? 0), LastText = read.Text.Length > 0 ? read.Text : state.LastText };
        if (read.Reasoning.Length > 0)
            context.Emit(new LlmEvent.Thought(read.Reasoning));
        context.Emit(new LlmEvent.TurnCompleted(state.Turn, reply.Model, reply.Endpoint, reply.Usage, reply.Cost, reply.Replayed));
        if (state.Limits.Cost is not null && reply.Cost is null)
            throw new LlmLimitException($"agent {loop.Name} has a limit of cost, and what model {reply.Model} of endpoint {reply.Endpoint} costs is not known: it has no price, or does not count its tokens; give the endpoint a price, or leave the limit out");
        if (read.Calls.Count > 0)
            return await CallToolsAsync(state, read, stop, timeIsUp);
        if (read.Message is not null)
            state = state.With(read.Message);
        _inbox.Drain();
        // Whoever said something waits for more than an answer to what was before.
        if (stop.IsCancellationRequested || _inbox.IsInterrupted || (_inbox.HasMessages && !state.IsLast))
        {
            if (read.Text.Length > 0)
                context.Emit(new LlmEvent.Said(read.Text));
            return Next.Continue(_inbox.TakeIn(state));
        }
        return Finish(state, read.Text);
    }

    private async Task<LlmReply> AskModelAsync(LlmState state, CancellationTokenSource stop, Task? timeIsUp)
    {
        ChatOptions options = OptionsOf(state);
        Interruption interruption = new();
        ModelCall call = new([.. SystemMessage(), .. state.Messages], options, loop.Options.Model, loop.Options.CallPolicy, interruption);
        Task<LlmReply> work = context.RunAsync(call, new ModelCallInput(loop.Options.Model, state.Messages.Count, state.Hash, ModelCall.HashOf(options, loop.Options.Instructions)), stop.Token);
        while (!work.IsCompleted)
        {
            await _inbox.WaitAsync(timeIsUp is null || stop.IsCancellationRequested ? [work] : [work, timeIsUp]);
            if ((_inbox.IsInterrupted || timeIsUp is { IsCompleted: true }) && !stop.IsCancellationRequested)
            {
                interruption.Want();
                stop.Cancel();
            }
        }
        return await work;
    }

    private async Task<Next<LlmState, object?>> CallToolsAsync(LlmState state, Reply read, CancellationTokenSource stop, Task? timeIsUp)
    {
        if (read.Text.Length > 0)
            context.Emit(new LlmEvent.Said(read.Text));
        string? refused = null;
        bool isLast = state.IsLast;
        state = _inbox.WithLimits(state);
        if (isLast)
            refused = "this is the last answer, and no tool can be called any more";
        else if (LimitCheck.BeforeCalls(state, read.Calls.Count) is { } reached)
            (state, refused) = await ActOnCallsAsync(state, reached, timeIsUp);
        int depth = context.JobId.Value.Count(c => c == '/');
        ToolRound round = new(tools, context, _inbox, tool => refused
            ?? (tool.IsAgent && depth >= state.Limits.Depth ? $"{tool.Name} is a job of its own, and jobs may call jobs {state.Limits.Depth} deep only (limit depth)" : null));
        IReadOnlyList<FunctionResultContent> results = await round.RunAsync(read.Calls, read.Faults, stop, timeIsUp);
        if (round.Changes.Count > 0)
            state = state with { Servers = state.Servers!.ToDictionary(s => s.Key, s => round.Changes.GetValueOrDefault(s.Key, s.Value), StringComparer.Ordinal) };
        state = (state with { ToolCalls = state.ToolCalls + (refused is null ? read.Calls.Count : 0) }).With(read.Message!, new ChatMessage(ChatRole.Tool, [.. results]));
        if (isLast && !stop.IsCancellationRequested)
            return Finish(state, read.Text.Length > 0 ? read.Text : state.LastText ?? "");
        return Next.Continue(_inbox.TakeIn(state));
    }

    /// <summary>Does what a limit asks for; null where the agent hands over what it has.</summary>
    private async Task<LlmState?> ActAsync(LlmState state, LimitCheck reached)
    {
        LimitAction action = state.Limits.Action ?? LimitAction.Stop;
        context.Emit(reached.Event(action));
        if (action == LimitAction.Stop)
            throw new LlmLimitException(reached.Message(loop.Name));
        if (action == LimitAction.HandOver)
            return null;
        while (LimitCheck.BeforeTurn(state, context.Now) is not null)
        {
            await _inbox.WaitAsync();
            state = _inbox.TakeIn(state);
        }
        return state;
    }

    private async Task<(LlmState State, string? Refused)> ActOnCallsAsync(LlmState state, LimitCheck reached, Task? timeIsUp)
    {
        LimitAction action = state.Limits.Action ?? LimitAction.Stop;
        context.Emit(reached.Event(action));
        if (action == LimitAction.Stop)
            throw new LlmLimitException(reached.Message(loop.Name));
        while (action == LimitAction.Ask && state.Limits.ToolCalls < reached.Used)
        {
            if (_inbox.IsInterrupted || timeIsUp is { IsCompleted: true })
                return (state, "the limit of tool calls is reached, and nobody raised it");
            await _inbox.WaitAsync(timeIsUp is null ? [] : [timeIsUp]);
            state = _inbox.WithLimits(state);
        }
        return action == LimitAction.Ask ? (state, null) : (state with { IsLast = true }, FormattableString.Invariant($"the limit of {reached.Allowed} tool calls is reached; answer with what you have"));
    }

    private Next<LlmState, object?> HandOver(LlmState state, LimitCheck reached)
    {
        string text = state.LastText ?? "", fault = "the model has said nothing yet";
        object? output = null;
        // A plan would still have to run.
        if (loop.Output.IsPlan || text.Length == 0 || !loop.Output.TryRead(text, out output, out fault))
            throw new LlmLimitException($"{reached.Message(loop.Name)}. It had no answer to hand over: {(loop.Output.IsPlan ? "its plan has not ended" : fault)}");
        return End(state, text, output);
    }

    private Next<LlmState, object?> End(LlmState state, string text, object? output)
    {
        if (loop.Output.IsPlan)
        {
            context.Emit(new LlmEvent.PlanMade((string)output!));
            return Next.Continue(state with { Plan = (string)output!, Repairs = 0 });
        }
        context.Emit(new LlmEvent.Answer(text));
        return Next.Done(output);
    }

    private Next<LlmState, object?> Finish(LlmState state, string text)
    {
        state = _inbox.WithLimits(state);
        _inbox.RefuseMessages("this was the last answer that the limits allow");
        if (loop.Output.TryRead(text, out object? output, out string fault))
            return End(state, text, output);
        if (state.Repairs >= loop.Options.RepairAttempts)
            throw new LlmOutputException($"the answer of agent {loop.Name} does not fit its output after {state.Repairs} {(state.Repairs == 1 ? "repair" : "repairs")}: {fault}");
        context.Emit(new LlmEvent.OutputRejected(fault, state.Repairs + 1));
        return Next.Continue(state.With(new ChatMessage(ChatRole.User, loop.Output.Repair(fault))) with { Repairs = state.Repairs + 1 });
    }

    private ChatOptions OptionsOf(LlmState state)
    {
        ChatOptions options = loop.Options.Chat?.Clone() ?? new ChatOptions();
        options.Tools = state.IsLast || !tools.All.Any() ? null : [.. tools.All.Select(t => t.Declaration)];
        options.ResponseFormat = loop.Output.Format;
        return options;
    }

    private IEnumerable<ChatMessage> SystemMessage() =>
        loop.Options.Instructions is { Length: > 0 } text ? [new ChatMessage(ChatRole.System, text)] : [];

    private void Trace(LlmReply reply)
    {
        if (context.Trace is not { } trace)
            return;
        trace.Set("gen_ai.request.model", reply.Model);
        trace.Add("gen_ai.usage.input_tokens", reply.Usage.InputTokenCount ?? 0);
        trace.Add("gen_ai.usage.output_tokens", reply.Usage.OutputTokenCount ?? 0);
    }

    private static UsageDetails Sum(UsageDetails one, UsageDetails other)
    {
        UsageDetails sum = new();
        sum.Add(one);
        sum.Add(other);
        return sum;
    }
}
