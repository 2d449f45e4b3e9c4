using System.Text;
using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>What one attempt of a task works with.</summary>
public abstract class TaskContext
{
    /// <summary>The job.</summary>
    public abstract JobId JobId { get; }

    /// <summary>The id that the job's stream shows for this task.</summary>
    public abstract string TaskId { get; }

    /// <summary>The number of this attempt, from 1.</summary>
    public abstract int Attempt { get; }

    /// <summary>The same on every attempt and after a crash, and of no other task: for whoever must not do the work twice.</summary>
    public abstract string IdempotencyKey { get; }

    /// <summary>Fires when the task is to stop: it was cancelled, its time is over, or its lease is lost.</summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>The lease on what the task required.</summary>
    public abstract Lease Lease { get; }

    /// <summary>The host's clock.</summary>
    public abstract TimeProvider Time { get; }

    /// <summary>A logger.</summary>
    public abstract ILogger Logger { get; }

    /// <summary>Services of a scope of this attempt.</summary>
    /// <exception cref="InvalidOperationException">The orchestrator was made without services.</exception>
    public abstract IServiceProvider Services { get; }

    /// <summary>What was leased: the session that the resource opened, or the resource itself.</summary>
    /// <param name="name">The requirement's name (its type unless it says otherwise); null where there is only one that fits.</param>
    /// <exception cref="InvalidOperationException">There is no such resource in the lease; the message names what there is.</exception>
    public T Resource<T>(string? name = null) where T : class => Lease.Get<T>(name);

    /// <summary>
    /// The value of a secret, read now. Those that the task's input holds were there when the attempt began; where one is not, the exception makes the task wait for it
    /// and start again, and fails a task that must not be repeated.
    /// </summary>
    /// <param name="secret">The reference.</param>
    /// <exception cref="SecretMissingException">It has no value in this process now; let it pass.</exception>
    public string Reveal(Secret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return secret.Read();
    }

    /// <summary>
    /// Adds output to the job's stream while the task runs, as tokens or a command's output. Never waits. The first is stored at once, further ones within
    /// 10 ms; what comes while a store is busy with what came before is joined to one <c>task.delta</c>; when another attempt follows, a <c>superseded</c> entry tells readers to drop it.
    /// </summary>
    /// <param name="chunk">The bytes; copied.</param>
    /// <param name="stream">Which output, as in <c>stdout</c>.</param>
    public abstract void Delta(ReadOnlySpan<byte> chunk, string stream = "output");

    /// <summary>Adds text to the job's stream while the task runs.</summary>
    public void Delta(string text, string stream = "output") => Delta(Encoding.UTF8.GetBytes(text), stream);
}
