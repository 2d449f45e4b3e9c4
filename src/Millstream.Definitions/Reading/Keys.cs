namespace Millstream.Definitions;

/// <summary>The keys that each part of a file may have; the published schemas have the same.</summary>
internal static class Keys
{
    public static readonly string[] Workflow = ["$schema", "kind", "name", "version", "description", "input", "resources", "on_failure", "tasks", "output"];
    public static readonly string[] Input = ["type", "default", "description"];
    public static readonly string[] Task =
        ["uses", "with", "needs", "for_each", "batch", "max_parallel", "if", "retry", "timeout", "expected_time", "requires", "at_most_once", "continue_on_error", "description"];
    public static readonly string[] Retry = ["attempts", "delay", "factor", "max_delay", "jitter"];
    public static readonly string[] Requirement = ["type", "amount", "exclusive", "labels"];
    public static readonly string[] Agent =
        ["$schema", "kind", "name", "description", "instructions", "model", "temperature", "max_output_tokens", "context", "plan", "tools", "approval", "limits", "output"];
    public static readonly string[] Context = ["messages"];
    public static readonly string[] Tool = ["use", "name", "description", "approval", "output_limit", "with"];
    public static readonly string[] Plan = ["kinds", "files", "approval"];
    public static readonly string[] AgentLimits = ["turns", "tool_calls", "tokens", "cost", "time", "depth", "action"];
    public static readonly string[] Models = ["$schema", "kind", "endpoints"];
    public static readonly string[] Endpoint =
    [
        "id", "provider", "model", "base_url", "api_key", "api_version", "labels", "max_concurrency", "requests_per_minute", "tokens_per_minute", "tier", "weight",
        "first_token_timeout", "stall_timeout", "price",
    ];
    public static readonly string[] Price = ["input", "output", "cached_input"];
    public static readonly string[] OutputField = ["type", "description"];
}
