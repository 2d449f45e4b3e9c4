using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// The tool calls of one turn: checked, allowed where somebody must allow them, run in parallel as far as resources allow. Whatever happens, each call has
/// one result at the end.
/// </summary>
/// <param name="tools">What there is, by name.</param>
/// <param name="context">The job's context.</param>
/// <param name="inbox">Its signals.</param>
/// <param name="refusal">Why a tool may not run now, or null: limits of depth and calls.</param>
internal sealed class ToolRound(ToolBox tools, AgentContext<LlmEvent, LlmSignal> context, LlmInbox inbox, Func<LlmTool, string?> refusal)
{
    private readonly List<ToolCall> _calls = [];

    /// <summary>By MCP server the tools that a person has allowed instead of those before.</summary>
    public Dictionary<string, McpTools> Changes { get; } = new(StringComparer.Ordinal);

    /// <summary>Runs them until each has a result.</summary>
    /// <param name="calls">The calls, with ids of their own.</param>
    /// <param name="faults">By call id why its arguments could not be read.</param>
    /// <param name="stop">Stops what runs; cancelled here when an interrupt comes.</param>
    /// <param name="timeIsUp">Done when they may take no longer; null for never.</param>
    /// <returns>The results, in the order of the calls.</returns>
    public async Task<IReadOnlyList<FunctionResultContent>> RunAsync(IReadOnlyList<FunctionCallContent> calls, IReadOnlyDictionary<string, string> faults, CancellationTokenSource stop, Task? timeIsUp)
    {
        try
        {
            foreach (FunctionCallContent call in calls)
            {
                ToolCall one = new(call);
                _calls.Add(one);
                context.Emit(new LlmEvent.ToolCallRequested(call));
                // An interrupt, or the end of the time, may have come with the answer.
                if (stop.IsCancellationRequested || inbox.IsInterrupted)
                    Fail(one, ToolFailure.Stopped, "it was stopped before it began");
                else
                    Begin(one, faults.GetValueOrDefault(call.CallId), stop.Token);
            }
            while (_calls.Exists(c => c.Result is null))
            {
                Task[] waited = [.. _calls.Where(c => c is { Result: null, Work: not null }).Select(c => (Task)c.Work!)];
                await inbox.WaitAsync(timeIsUp is null || stop.IsCancellationRequested ? waited : [.. waited, timeIsUp]);
                if ((inbox.IsInterrupted || timeIsUp is { IsCompleted: true }) && !stop.IsCancellationRequested)
                    StopAll(stop);
                Take(stop.Token);
            }
        }
        catch (OperationCanceledException) when (context.Cancelled.IsCancellationRequested)
        {
            await context.CleanUpAsync(TimeSpan.FromMinutes(1), EndAllAsync);
            throw;
        }
        return [.. _calls.Select(c => c.Result!)];
    }

    private void Begin(ToolCall call, string? fault, CancellationToken stop)
    {
        if (fault is not null)
        {
            Fail(call, ToolFailure.InvalidArguments, $"the arguments could not be read: {fault}; call it again with valid JSON");
        }
        else if (tools.Find(call.Call.Name) is not { } tool)
        {
            Fail(call, ToolFailure.UnknownTool, $"there is no tool '{call.Call.Name}'; there {tools.Names}");
        }
        else
        {
            call.Tool = tool;
            call.Arguments = ArgumentsOf(call.Call);
            Check(call, stop, isAllowed: false);
        }
    }

    private void Check(ToolCall call, CancellationToken stop, bool isAllowed)
    {
        if (call.Tool!.Schema.Fault(call.Arguments) is { } misfit)
            Fail(call, ToolFailure.InvalidArguments, $"the arguments do not fit the schema of {call.Tool.Name}: {misfit}");
        else if (refusal(call.Tool) is { } refused)
            Fail(call, ToolFailure.Stopped, refused);
        else if (isAllowed || call.Tool.Approval == ToolApproval.Never)
            call.Start(context, stop);
        else
            Ask(call, $"each call of {call.Tool.Name} must be allowed");
    }

    private void Ask(ToolCall call, string why)
    {
        inbox.Awaited.Add(call.Id);
        context.Emit(new LlmEvent.ApprovalRequested(new ToolApprovalRequestContent(call.Id, call.Call), why));
    }

    private void Take(CancellationToken stop)
    {
        foreach (ToolCall call in _calls.Where(c => c.Result is null))
        {
            if (call.Work is { IsCompleted: true } work && work.GetAwaiter().GetResult() is var end)
                Take(call, end);
            else if (call.Work is null && inbox.Decision(call.Id) is { } decision)
                Decide(call, decision, stop);
        }
    }

    private void Take(ToolCall call, ToolEnd end)
    {
        if (end.Changed is not { } changed)
        {
            End(call, end);
            return;
        }
        var tool = (McpTool)call.Tool!;
        (call.Work, call.Changed) = (null, changed);
        Ask(call, $"the tools of MCP server {tool.Server.Name} have changed since the job began: {tool.Known.ChangesTo(changed)}");
    }

    private void Decide(ToolCall call, LlmSignal decision, CancellationToken stop)
    {
        if (decision is LlmSignal.DenyToolCall deny)
        {
            Fail(call, ToolFailure.Denied, $"the call was not allowed{(string.IsNullOrWhiteSpace(deny.Reason) ? "" : $": {deny.Reason}")}");
            return;
        }
        if (((LlmSignal.ApproveToolCall)decision).Arguments is { } other && !JsonElement.DeepEquals(other, call.Arguments))
            (call.Arguments, call.IsChanged) = (other, true);
        if (call.Changed is { } changed)
        {
            var old = (McpTool)call.Tool!;
            Changes[old.Server.Name] = changed;
            if (old.With(changed) is not { } tool)
            {
                Fail(call, ToolFailure.UnknownTool, $"MCP server {old.Server.Name} has no such tool any more");
                return;
            }
            (call.Tool, call.Changed) = (tool, null);
        }
        Check(call, stop, isAllowed: true);
    }

    private void StopAll(CancellationTokenSource stop)
    {
        stop.Cancel();
        foreach (ToolCall call in _calls.Where(c => c is { Result: null, Work: null }))
        {
            inbox.Awaited.Remove(call.Id);
            Fail(call, ToolFailure.Stopped, inbox.IsInterrupted ? "the user interrupted before it was allowed" : "the time was over before it was allowed");
        }
    }

    /// <summary>After a cancel: what still ended has its result, the rest is told as stopped, so that no call is left open.</summary>
    private async Task EndAllAsync()
    {
        foreach (ToolCall call in _calls.Where(c => c.Result is null))
        {
            if (call.Work is { } work)
                End(call, await work);
            else
                Fail(call, ToolFailure.Stopped, "the job was cancelled");
        }
    }

    private void End(ToolCall call, ToolEnd end)
    {
        if (end.Error is { } error)
        {
            Fail(call, end.Failure, error);
            return;
        }
        string result = ToolResultText.Of(end.Result, call.Tool!.OutputLimit);
        call.Result = new FunctionResultContent(call.Id, call.IsChanged ? $"(a person let it run with other arguments: {ToolResultText.Of(call.Arguments, call.Tool.OutputLimit)})\n{result}" : result);
        context.Emit(new LlmEvent.ToolCallCompleted(call.Tool.Name, call.Result));
    }

    private void Fail(ToolCall call, ToolFailure failure, string error)
    {
        string told = ToolResultText.Cut(error, call.Tool?.OutputLimit ?? LlmTool.DefaultOutputLimit);
        call.Result = new FunctionResultContent(call.Id, $"error: {told}");
        context.Emit(new LlmEvent.ToolCallFailed(call.Id, call.Call.Name, failure, told));
    }

    private static JsonElement ArgumentsOf(FunctionCallContent call) => JsonSerializer.SerializeToElement(call.Arguments ?? new Dictionary<string, object?>(), AIJson.Options);
}
