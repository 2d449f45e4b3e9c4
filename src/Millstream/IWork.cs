namespace Millstream;

/// <summary>
/// What a node of a workflow can run: an <see cref="AgentTask{TInput,TOutput}"/>, an <see cref="Agent{TInput,TOutput,TEvent,TSignal}"/> or a
/// <see cref="Workflow{TInput,TOutput}"/>. The last two run as child jobs. Nothing else implements it.
/// </summary>
/// <typeparam name="TInput">What it takes.</typeparam>
/// <typeparam name="TOutput">What it gives.</typeparam>
public interface IWork<TInput, TOutput>
{
    /// <summary>The <see cref="AgentTask"/>, or the <see cref="Agent"/> of the child job.</summary>
    internal object Runner { get; }
}
