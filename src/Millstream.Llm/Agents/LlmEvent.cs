using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// What an LLM agent's stream says beside the entries of its tasks. While a model talks, its text and its reasoning come as <c>task.delta</c> entries of its
/// call, in the streams <c>text</c> and <c>reasoning</c>; these events hold the whole.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Thought), "thought")]
[JsonDerivedType(typeof(Said), "said")]
[JsonDerivedType(typeof(ToolCallRequested), "toolCallRequested")]
[JsonDerivedType(typeof(ToolCallCompleted), "toolCallCompleted")]
[JsonDerivedType(typeof(ToolCallFailed), "toolCallFailed")]
[JsonDerivedType(typeof(ApprovalRequested), "approvalRequested")]
[JsonDerivedType(typeof(TurnCompleted), "turnCompleted")]
[JsonDerivedType(typeof(Steered), "steered")]
[JsonDerivedType(typeof(Interrupted), "interrupted")]
[JsonDerivedType(typeof(LimitReached), "limitReached")]
[JsonDerivedType(typeof(ContextReduced), "contextReduced")]
[JsonDerivedType(typeof(OutputRejected), "outputRejected")]
[JsonDerivedType(typeof(ToolsListed), "toolsListed")]
[JsonDerivedType(typeof(PlanMade), "planMade")]
[JsonDerivedType(typeof(SignalIgnored), "signalIgnored")]
[JsonDerivedType(typeof(Answer), "answer")]
public abstract record LlmEvent
{
    private LlmEvent()
    {
    }

    /// <summary>The reasoning of a turn, as the model shows it.</summary>
    /// <param name="Text">The text.</param>
    public sealed record Thought(string Text) : LlmEvent;

    /// <summary>What the model said beside the tools that it called.</summary>
    /// <param name="Text">The text.</param>
    public sealed record Said(string Text) : LlmEvent;

    /// <summary>The model wants a tool to be called.</summary>
    /// <param name="Call">The call, with an id that is unique in the job.</param>
    public sealed record ToolCallRequested([property: JsonConverter(typeof(AIJsonConverter<FunctionCallContent>))] FunctionCallContent Call) : LlmEvent;

    /// <summary>A tool gave its result, and the model gets it.</summary>
    /// <param name="Name">The tool's name.</param>
    /// <param name="Result">The result as the model sees it, after the tool's output limit.</param>
    public sealed record ToolCallCompleted(string Name, [property: JsonConverter(typeof(AIJsonConverter<FunctionResultContent>))] FunctionResultContent Result) : LlmEvent;

    /// <summary>A tool gave no result; the model is told why.</summary>
    /// <param name="CallId">The call's id.</param>
    /// <param name="Name">The tool's name.</param>
    /// <param name="Reason">Of what kind the failure is.</param>
    /// <param name="Error">What the model is told.</param>
    public sealed record ToolCallFailed(string CallId, string Name, ToolFailure Reason, string Error) : LlmEvent;

    /// <summary>A call waits for an <see cref="LlmSignal.ApproveToolCall"/> or <see cref="LlmSignal.DenyToolCall"/> with its id.</summary>
    /// <param name="Request">The call; its request id is the call's id.</param>
    /// <param name="Why">What makes it necessary, in a sentence.</param>
    public sealed record ApprovalRequested([property: JsonConverter(typeof(AIJsonConverter<ToolApprovalRequestContent>))] ToolApprovalRequestContent Request, string Why) : LlmEvent;

    /// <summary>The model has answered; the tools that it called run next.</summary>
    /// <param name="Turn">Its number, from 1.</param>
    /// <param name="Model">The model as the endpoint names it.</param>
    /// <param name="Endpoint">The endpoint's id.</param>
    /// <param name="Usage">The tokens of this turn.</param>
    /// <param name="Cost">What it cost in US dollars; null where the model has no price.</param>
    /// <param name="Replayed">Whether the answer came from a cassette and no model was asked.</param>
    public sealed record TurnCompleted(
        int Turn, string Model, string Endpoint, [property: JsonConverter(typeof(AIJsonConverter<UsageDetails>))] UsageDetails Usage,
        decimal? Cost, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Replayed = false) : LlmEvent;

    /// <summary>A message of a user enters the conversation.</summary>
    /// <param name="Text">The message.</param>
    public sealed record Steered(string Text) : LlmEvent;

    /// <summary>What was under way was stopped by an <see cref="LlmSignal.Interrupt"/>; the agent waits for a <see cref="LlmSignal.Steer"/> where none came with it.</summary>
    public sealed record Interrupted : LlmEvent;

    /// <summary>A limit is reached.</summary>
    /// <param name="Limit">Its name, as in <c>turns</c>.</param>
    /// <param name="Allowed">Its value.</param>
    /// <param name="Used">What was used.</param>
    /// <param name="Action">What follows.</param>
    public sealed record LimitReached(string Limit, decimal Allowed, decimal Used, LimitAction Action) : LlmEvent;

    /// <summary>The conversation was made shorter for the model; the stream keeps all of it.</summary>
    /// <param name="Dropped">How many messages the model does not see any more.</param>
    /// <param name="Kept">How many it sees.</param>
    public sealed record ContextReduced(int Dropped, int Kept) : LlmEvent;

    /// <summary>An answer is not what the agent has to give, and the model is asked to mend it.</summary>
    /// <param name="Reason">What is wrong.</param>
    /// <param name="Attempt">How often it was asked to mend it, with this time.</param>
    public sealed record OutputRejected(string Reason, int Attempt) : LlmEvent;

    /// <summary>The tools of an MCP server, from here on those that the job may call.</summary>
    /// <param name="Server">The server's name.</param>
    /// <param name="Tools">The tools' names.</param>
    /// <param name="Hash">The hash of names, descriptions and schemas.</param>
    public sealed record ToolsListed(string Server, IReadOnlyList<string> Tools, string Hash) : LlmEvent;

    /// <summary>A planner has made a valid plan.</summary>
    /// <param name="Plan">The text of the workflow.</param>
    public sealed record PlanMade(string Plan) : LlmEvent;

    /// <summary>A signal did not fit.</summary>
    /// <param name="Signal">Its type.</param>
    /// <param name="Reason">Why.</param>
    public sealed record SignalIgnored(string Signal, string Reason) : LlmEvent;

    /// <summary>The agent's last word.</summary>
    /// <param name="Text">The text; of a typed answer its JSON.</param>
    public sealed record Answer(string Text) : LlmEvent;
}

/// <summary>Why a tool call gave no result.</summary>
public enum ToolFailure
{
    /// <summary>There is no tool of that name.</summary>
    UnknownTool,

    /// <summary>The arguments are no JSON, or do not fit the tool's schema.</summary>
    InvalidArguments,

    /// <summary>A person did not allow it.</summary>
    Denied,

    /// <summary>The tool failed.</summary>
    Failed,

    /// <summary>It was stopped: by an interrupt, a limit or the end of the job.</summary>
    Stopped,
}
