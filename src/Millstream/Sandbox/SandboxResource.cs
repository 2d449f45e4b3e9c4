namespace Millstream;

/// <summary>
/// Sandboxes of this host, as a resource of type <c>sandbox</c>: a lease gives a <see cref="Sandbox"/>, in which each command runs in
/// isolation of its own. One resource is one sandbox at a time; add as many as may run at once.
/// </summary>
public sealed class SandboxResource : Resource
{
    private readonly SandboxOptions _options;

    /// <summary>Makes the resource; nothing is started before a command runs.</summary>
    /// <param name="id">Unique in the fleet.</param>
    /// <param name="options">How sandboxes are made; the defaults work.</param>
    /// <param name="labels">What selectors look at.</param>
    /// <exception cref="ArgumentException">The id or an option is wrong.</exception>
    public SandboxResource(string id, SandboxOptions? options = null, IReadOnlyDictionary<string, string>? labels = null) : base(id, "sandbox", 1, labels)
    {
        _options = options ?? new SandboxOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    protected internal override ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        return new ValueTask<IAsyncDisposable?>(new Sandbox(epoch, _options));
    }
}
