namespace Millstream.Definitions;

/// <summary>A task of a built-in kind failed.</summary>
/// <param name="message">What happened, with the setting or value that matters and what to do.</param>
/// <param name="passing">Whether another try may do better.</param>
/// <param name="retryAfter">How long the other side asks to wait before it.</param>
internal sealed class KindFailureException(string message, bool passing = false, TimeSpan? retryAfter = null) : Exception(message)
{
    public bool Passing => passing;

    public TimeSpan? RetryAfter => retryAfter;

    /// <summary>Runs the code of a kind; its failure becomes that of the task.</summary>
    public static async Task<T> ToldAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (KindFailureException e)
        {
            throw e.Passing ? new RetryableTaskException(e.Message, e.RetryAfter) : new TerminalTaskException(e.Message);
        }
    }
}
