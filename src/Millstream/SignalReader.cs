using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>
/// The signals of a job that its body has not taken yet, in their order. Waiting takes nothing, so a wait that lost a race against a
/// task swallows no signal.
/// </summary>
/// <typeparam name="TSignal">The signals' type.</typeparam>
public abstract class SignalReader<TSignal>
{
    /// <summary>Takes the next signal; false when there is none now. Never waits.</summary>
    public abstract bool TryRead([MaybeNullWhen(false)] out TSignal signal);

    /// <summary>Done when there is a signal to take. Takes nothing; every waiter gets the same task.</summary>
    public abstract Task WaitToReadAsync();

    /// <summary>Waits for the next signal and takes it. For a body that waits for signals only; in a race use <see cref="WaitToReadAsync"/>.</summary>
    public async Task<TSignal> NextAsync()
    {
        while (true)
        {
            if (TryRead(out TSignal? signal))
                return signal;
            await WaitToReadAsync();
        }
    }
}
