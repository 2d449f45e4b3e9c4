using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream.Cli.Running.Agents;

/// <summary>A call of a tool that waits for somebody to allow it.</summary>
/// <param name="Job">The agent's job, which a decision is sent to; a child where the agent was called by another job.</param>
/// <param name="Asked">What the agent said of it.</param>
internal sealed record WaitingCall(JobId Job, LlmEvent.ApprovalRequested Asked)
{
    public string CallId => Asked.Request.RequestId;

    /// <summary>The call; null where it is none of a function.</summary>
    public FunctionCallContent? Call => Asked.Request.ToolCall as FunctionCallContent;

    public string ToolName => OutputText.Clean(Call?.Name ?? CallId);
}

/// <summary>The calls that wait for somebody to allow them, oldest first, as the stream of a job tells of it and its children.</summary>
internal sealed class AgentApprovals
{
    private readonly Lock _gate = new();
    private readonly List<WaitingCall> _waiting = [];

    /// <summary>The oldest.</summary>
    public WaitingCall? First
    {
        get
        {
            lock (_gate)
                return _waiting.Count > 0 ? _waiting[0] : null;
        }
    }

    public IReadOnlyList<WaitingCall> All
    {
        get
        {
            lock (_gate)
                return [.. _waiting];
        }
    }

    /// <returns>The call that waits from this entry on; null where it tells of none.</returns>
    public WaitingCall? Add(JobEvent e) => Add(e, AgentEvents.Of(e));

    /// <inheritdoc cref="Add(JobEvent)"/>
    public WaitingCall? Add(JobEvent e, LlmEvent? said)
    {
        lock (_gate)
        {
            switch (said)
            {
                case LlmEvent.ApprovalRequested asked:
                    WaitingCall call = new(e.Job, asked);
                    _waiting.Add(call);
                    return call;
                case LlmEvent.ToolCallCompleted completed:
                    Forget(e.Job, completed.Result.CallId);
                    break;
                case LlmEvent.ToolCallFailed failed:
                    Forget(e.Job, failed.CallId);
                    break;
            }
            switch (e.Kind)
            {
                // Whatever it decides, the call is no longer waited for.
                case JobEventKinds.Signal when e.Data is { ValueKind: JsonValueKind.Object } signal && signal.TryGetProperty("callId", out JsonElement id):
                    Forget(e.Job, id.ToString());
                    break;
                case JobEventKinds.JobCompleted or JobEventKinds.JobFailed or JobEventKinds.JobCancelled:
                    _waiting.RemoveAll(w => w.Job == e.Job);
                    break;
                case JobEventKinds.ChildCompleted or JobEventKinds.ChildFailed or JobEventKinds.ChildCancelled:
                    _waiting.RemoveAll(w => w.Job == e.Child);
                    break;
            }
            return null;
        }
    }

    /// <summary>It was decided here.</summary>
    public void Forget(WaitingCall call)
    {
        lock (_gate)
            _waiting.Remove(call);
    }

    // Models count their calls, so those of two agents may have the same id.
    private void Forget(JobId job, string callId) => _waiting.RemoveAll(w => w.Job == job && w.CallId == callId);
}
