using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>
/// An agent that a model drives: each round is one call of the model, a task on an LLM resource, and the tool calls that it asks for, each a task or a child job.
/// Its stream tells thoughts, text and calls; its signals steer, interrupt and approve. Recovery goes on from the last recorded result: a finished call of a model is never made again.
/// </summary>
/// <typeparam name="TInput">What it takes: a prompt, or a value that the model gets as JSON.</typeparam>
/// <typeparam name="TOutput">What it gives: text, or a value whose JSON schema the model is asked for.</typeparam>
public class LlmAgent<TInput, TOutput> : LoopAgent<TInput, TOutput, LlmEvent, LlmSignal, LlmState>
{
    private readonly LlmLoop _loop;
    private readonly Func<TInput, IReadOnlyList<ChatMessage>> _prompt;

    /// <summary>Makes an agent.</summary>
    /// <param name="options">What it is.</param>
    /// <param name="prompt">The messages that an input means; pure. When null: a string is a user's message, anything else its JSON.</param>
    /// <exception cref="ArgumentException">The options have faults; lists all.</exception>
    public LlmAgent(LlmAgentOptions options, Func<TInput, IReadOnlyList<ChatMessage>>? prompt = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _loop = new LlmLoop(options.Checked(), OutputForm.Of(typeof(TOutput)), new McpConnections());
        _prompt = prompt ?? (static input => [new ChatMessage(ChatRole.User, input as string ?? JsonSerializer.Serialize(input, AgentContract.DefaultOptions))]);
    }

    /// <summary>What it is.</summary>
    public LlmAgentOptions Options => _loop.Options;

    /// <inheritdoc/>
    public override string Id => _loop.Options.Id;

    /// <inheritdoc/>
    public override string Name => _loop.Name;

    /// <inheritdoc/>
    public override string Version => _loop.Options.Version;

    /// <inheritdoc/>
    protected sealed override LlmState Begin(TInput input) => _loop.Begin(_prompt(input));

    /// <inheritdoc/>
    protected sealed override async Task<Next<LlmState, TOutput>> NextAsync(LlmState state, AgentContext<LlmEvent, LlmSignal> context)
    {
        Next<LlmState, object?> next = await _loop.NextAsync(state, context);
        return next.IsDone ? Next.Done((TOutput)next.Output!) : Next.Continue(next.State!);
    }
}

/// <summary>An LLM agent that takes a prompt and gives a value.</summary>
public class LlmAgent<TOutput>(LlmAgentOptions options) : LlmAgent<string, TOutput>(options);

/// <summary>An LLM agent that takes a prompt and gives text.</summary>
public sealed class LlmAgent(LlmAgentOptions options) : LlmAgent<string>(options);
