namespace Millstream;

/// <summary>
/// An MCP server whose tools an agent may call: a program that speaks over its standard streams, or an address. Each job has a connection of its own. The tools
/// are those that the server had when the job began; when they change, a person is asked before another call.
/// </summary>
public sealed record McpServer
{
    /// <summary>Its name: letters, digits, <c>_</c> and <c>-</c>. Its tools are called <c>name_tool</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The program and its arguments; null where it has an address.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Variables of the program's environment. It gets these, <see cref="Secrets"/>, and of this process only what programs need to run, as <c>PATH</c> and <c>HOME</c>.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Variables whose values are secrets.</summary>
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    /// <summary>The program's folder; the agent's own when null.</summary>
    public string? Folder { get; init; }

    /// <summary>The address of a server that speaks over HTTP; null where it is a program.</summary>
    public Uri? Url { get; init; }

    /// <summary>Headers of each request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Headers whose values are secrets.</summary>
    public IReadOnlyDictionary<string, Secret> SecretHeaders { get; init; } = new Dictionary<string, Secret>();

    /// <summary>The tools that the agent gets, by the server's own names; null for all.</summary>
    public IReadOnlyList<string>? Tools { get; init; }

    /// <summary>Whether each call must be allowed.</summary>
    public ToolApproval Approval { get; init; }

    /// <summary>How many characters of a result the model gets.</summary>
    public int OutputLimit { get; init; } = LlmTool.DefaultOutputLimit;

    /// <summary>How long the server may take to begin; 1 minute by default.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long one call may take; 5 minutes by default. A call that takes longer fails and is not sent again, since the server may have made it.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether no call may be repeated, as where a tool sends mail or pays. A call that fails is never sent again; but other calls run again when their process ended
    /// while they were at work, or when they lost their lease. With this, such a call becomes a question to a person, <see cref="TaskInDoubt"/>.
    /// </summary>
    public bool AtMostOnce { get; init; }

    /// <summary>What each call needs of resources.</summary>
    public IReadOnlyList<ResourceRequirement> Requirements { get; init; } = [];

    /// <summary>What is wrong with it; null where nothing is.</summary>
    internal string? Fault() =>
        string.IsNullOrWhiteSpace(Name) || LlmTool.NameOf(Name) != Name ? $"{nameof(Name)} '{Name}' must be letters, digits, '_' and '-'"
        : Command is { Count: > 0 } == Url is not null ? $"{Name} has {(Url is null ? "neither" : "both")} {nameof(Command)} {(Url is null ? "nor" : "and")} {nameof(Url)}; give one of them"
        : Url is { Scheme: not ("http" or "https") } ? $"{Name}.{nameof(Url)} is {Url}; give an http or https address"
        : Url is not null && SecretHeaders.Count > 0 && !WebAddress.HidesSecrets(Url) ? $"{Name}.{nameof(Url)} is plain http to another machine, where {nameof(SecretHeaders)} could be read on the way; write https://, or leave them out"
        : OutputLimit < 1 ? $"{Name}.{nameof(OutputLimit)} is {OutputLimit}; give 1 or more characters"
        : ConnectTimeout <= TimeSpan.Zero ? $"{Name}.{nameof(ConnectTimeout)} is {ConnectTimeout}; give more than zero"
        : CallTimeout <= TimeSpan.Zero ? $"{Name}.{nameof(CallTimeout)} is {CallTimeout}; give more than zero"
        : null;
}
