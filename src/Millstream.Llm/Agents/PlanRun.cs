using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>Runs the workflow that a planner has made, as a child job, after somebody has allowed it where somebody must.</summary>
internal sealed class PlanRun(LlmLoop loop, PlanPolicy policy, AgentContext<LlmEvent, LlmSignal> context)
{
    private const string Tool = "run_plan", Argument = "plan";

    private readonly LlmInbox _inbox = new(context);

    public async Task<Next<LlmState, object?>> RunAsync(LlmState state)
    {
        WorkflowReading plan = policy.Reader.Read(state.Plan!, policy.Rules);
        if (policy.Approval == ToolApproval.Always)
        {
            (WorkflowReading? allowed, string? denied) = await AskAsync(state.Plan!, plan);
            if (allowed is null)
                return Next.Continue(Again(state, $"The plan was not allowed{(string.IsNullOrWhiteSpace(denied) ? "" : $": {denied}")}. Make another one."));
            plan = allowed;
        }
        try
        {
            JsonElement output = await StartAsync(state, plan);
            foreach (string late in _inbox.TakeMessages())
                context.Emit(new LlmEvent.SignalIgnored("steer", $"the plan has run and its output is the answer; '{late}' came too late for it"));
            context.Emit(new LlmEvent.Answer(output.ValueKind == JsonValueKind.String ? output.GetString()! : output.GetRawText()));
            return Next.Done((object?)output);
        }
        catch (ChildJobFailedException e) when (state.Replans < policy.Replans)
        {
            context.Emit(new LlmEvent.OutputRejected(e.Error.Message, state.Replans + 1));
            return Next.Continue(Again(state, $"The workflow failed: {e.Error.Message}\nAnswer with another workflow that avoids this.") with { Replans = state.Replans + 1 });
        }
        catch (OperationCanceledException) when (!context.Cancelled.IsCancellationRequested)
        {
            // Stopped by an interrupt or by the limit of time, of which the next round makes what it has to.
            LlmState next = Again(state, "The workflow was stopped before its end.");
            if (!_inbox.IsInterrupted)
                return Next.Continue(next);
            context.Emit(new LlmEvent.Interrupted());
            next = next with { IsInterrupted = true };
            foreach (string text in _inbox.TakeMessages())
            {
                context.Emit(new LlmEvent.Steered(text));
                next = next.With(new ChatMessage(ChatRole.User, text)) with { IsInterrupted = false };
            }
            return Next.Continue(next);
        }
    }

    private static LlmState Again(LlmState state, string message) => state.With(new ChatMessage(ChatRole.User, message)) with { Plan = null };

    private async Task<JsonElement> StartAsync(LlmState state, WorkflowReading plan)
    {
        using CancellationTokenSource stop = new();
        Task? timeIsUp = LimitCheck.TimeLeft(state, context.Now) is { } left ? context.DelayAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero) : null;
        Task<JsonElement> work = context.RunChildAsync<JsonElement>(plan.Agent!, plan.Agent!.ReadInput(plan.Input), "plan", stop.Token);
        while (!work.IsCompleted)
        {
            await _inbox.WaitAsync(timeIsUp is null || stop.IsCancellationRequested ? [work] : [work, timeIsUp]);
            if ((_inbox.IsInterrupted || timeIsUp is { IsCompleted: true }) && !stop.IsCancellationRequested)
                stop.Cancel();
        }
        return await work;
    }

    private async Task<(WorkflowReading? Allowed, string? Denied)> AskAsync(string text, WorkflowReading plan)
    {
        while (true)
        {
            string id = $"plan-{context.NewId():n}"[..13];
            FunctionCallContent call = new(id, Tool, new Dictionary<string, object?> { [Argument] = text });
            _inbox.Awaited.Add(id);
            context.Emit(new LlmEvent.ApprovalRequested(new ToolApprovalRequestContent(id, call), $"the plan of {loop.Name} must be allowed before it runs"));
            LlmSignal? decision;
            while ((decision = _inbox.Decision(id)) is null)
                await _inbox.WaitAsync();
            if (decision is LlmSignal.DenyToolCall deny)
                return (null, deny.Reason);
            if (((LlmSignal.ApproveToolCall)decision).Arguments is not { } changed)
                return (plan, null);
            string? other = changed.ValueKind == JsonValueKind.Object && changed.TryGetProperty(Argument, out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
            WorkflowReading reading = other is null ? plan with { Faults = [$"the arguments must be {{\"{Argument}\": \"…\"}} with the text of a workflow"] } : policy.Reader.Read(other, policy.Rules);
            if (reading.Faults.Count == 0)
                return (reading, null);
            context.Emit(new LlmEvent.SignalIgnored("approve", string.Join("\n", reading.Faults)));
        }
    }
}
