namespace Millstream;

/// <content>What most tasks never have, since they run once and give their output; made when it is needed.</content>
internal abstract partial class TaskCommand
{
    private TroubleOf? _trouble;

    /// <summary>A grant that came while the attempt before was still ending.</summary>
    private Grant? NextGrant
    {
        get => _trouble?.NextGrant;
        set => Set(value, static (trouble, grant) => trouble.NextGrant = grant);
    }

    /// <summary>What ends its wait for the next attempt.</summary>
    private IDisposable? BackOff
    {
        get => _trouble?.BackOff;
        set => Set(value, static (trouble, timer) => trouble.BackOff = timer);
    }

    /// <summary>What a busy resource said.</summary>
    private string? Refusal
    {
        get => _trouble?.Refusal;
        set => Set(value, static (trouble, refusal) => trouble.Refusal = refusal);
    }

    private int Failures
    {
        get => _trouble?.Failures ?? 0;
        set => Set(value, static (trouble, failures) => trouble.Failures = failures);
    }

    /// <summary>What an attempt has shown that no later one has superseded.</summary>
    private ShownOutput Shown
    {
        get => _trouble?.Shown ?? default;
        set => Set(value, static (trouble, shown) => trouble.Shown = shown);
    }

    private TaskDecision? Decision
    {
        get => _trouble?.Decision;
        set => Set(value, static (trouble, decision) => trouble.Decision = decision);
    }

    /// <summary>What its input names.</summary>
    private IReadOnlyList<Secret>? Secrets
    {
        get => _trouble?.Secrets;
        set => Set(value, static (trouble, secrets) => trouble.Secrets = secrets);
    }

    /// <summary>The secret that it waits for. Written by one thread at a time, read by any.</summary>
    private SecretMissingException? Missing
    {
        get => _trouble?.Missing;
        set => Set(value, static (trouble, missing) => trouble.Missing = missing);
    }

    // The lock does not guard all of it, so two threads may come to make it.
    private void Set<T>(T value, Action<TroubleOf, T> set)
    {
        if (_trouble is null && EqualityComparer<T>.Default.Equals(value, default))
            return;
        set(_trouble ?? Interlocked.CompareExchange(ref _trouble, new TroubleOf(), null) ?? _trouble, value);
    }

    /// <summary>What a revocation has left of a task: its place in line, and what it was given there since.</summary>
    private readonly record struct PlaceInLine(TaskRequest? Request, Grant? Next);

    private sealed class TroubleOf
    {
        public Grant? NextGrant;
        public IDisposable? BackOff;
        public string? Refusal;
        public int Failures;
        public ShownOutput Shown;
        public TaskDecision? Decision;
        public IReadOnlyList<Secret>? Secrets;
        public volatile SecretMissingException? Missing;
    }
}
