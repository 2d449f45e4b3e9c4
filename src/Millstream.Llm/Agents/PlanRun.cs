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
        Task? timeIsUp = LimitCheck.TimeLeft(state, context.Now) is { } left ? context.DelayAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero) : null;
        if (policy.Approval == ToolApproval.Always)
        {
            (WorkflowReading? allowed, string why) = await AskAsync(state.Plan!, plan, timeIsUp);
            if (allowed is null)
                return Next.Continue(Again(state, why));
            plan = allowed;
        }
        try
        {
            JsonElement output = await StartAsync(plan, timeIsUp);
            _inbox.RefuseMessages("the plan has run and its output is the answer");
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
            return Next.Continue(Again(state, "The workflow was stopped before its end."));
        }
    }

    private LlmState Again(LlmState state, string message) => _inbox.TakeIn(state.With(new ChatMessage(ChatRole.User, message)) with { Plan = null });

    private bool IsStopped(Task? timeIsUp) => _inbox.IsInterrupted || timeIsUp is { IsCompleted: true };

    private async Task<JsonElement> StartAsync(WorkflowReading plan, Task? timeIsUp)
    {
        using CancellationTokenSource stop = new();
        Task<JsonElement> work = context.RunChildAsync<JsonElement>(plan.Agent!, plan.Agent!.ReadInput(plan.Input), "plan", stop.Token);
        while (!work.IsCompleted)
        {
            await _inbox.WaitAsync(timeIsUp is null || stop.IsCancellationRequested ? [work] : [work, timeIsUp]);
            if (IsStopped(timeIsUp) && !stop.IsCancellationRequested)
                stop.Cancel();
        }
        return await work;
    }

    private async Task<(WorkflowReading? Allowed, string Why)> AskAsync(string text, WorkflowReading plan, Task? timeIsUp)
    {
        while (true)
        {
            string id = $"plan-{context.NewId():n}"[..13];
            FunctionCallContent call = new(id, Tool, new Dictionary<string, object?> { [Argument] = text });
            _inbox.Awaited.Add(id);
            context.Emit(new LlmEvent.ApprovalRequested(new ToolApprovalRequestContent(id, call), $"the plan of {loop.Name} must be allowed before it runs"));
            LlmSignal? decision;
            while ((decision = _inbox.Decision(id)) is null)
            {
                if (IsStopped(timeIsUp))
                    return (null, "The plan was not allowed in time.");
                await _inbox.WaitAsync(timeIsUp is null ? [] : [timeIsUp]);
            }
            if (decision is LlmSignal.DenyToolCall deny)
                return (null, $"The plan was not allowed{(string.IsNullOrWhiteSpace(deny.Reason) ? "" : $": {deny.Reason}")}. Make another one.");
            if (((LlmSignal.ApproveToolCall)decision).Arguments is not { } changed)
                return (plan, "");
            string? other = changed.ValueKind == JsonValueKind.Object && changed.TryGetProperty(Argument, out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
            WorkflowReading reading = other is null ? plan with { Faults = [$"the arguments must be {{\"{Argument}\": \"…\"}} with the text of a workflow"] } : policy.Reader.Read(other, policy.Rules);
            if (reading.Faults.Count == 0)
            {
                context.Emit(new LlmEvent.PlanMade(other!));
                return (reading, "");
            }
            context.Emit(new LlmEvent.SignalIgnored("approve", string.Join("\n", reading.Faults)));
        }
    }
}
