namespace Millstream.Testing.Tests;

/// <summary>A question of tests.</summary>
internal sealed record Proceed(string What) : Question<bool>;

/// <summary>An agent made of a function, for tests.</summary>
internal sealed class BodyAgent(Func<string, AgentContext<string, string>, Task<string>> body, string id = "body") : Agent<string, string, string, string>
{
    public override string Id => id;

    protected override Task<string> RunCoreAsync(string input, AgentContext<string, string> context) => body(input, context);
}

internal static class Agents
{
    public static BodyAgent Make(Func<AgentContext<string, string>, Task<string>> body) => new((_, context) => body(context));

    public static AgentTask<string, string> Echo { get; } = AgentTask.Create<string, string>("echo", (input, _) => Task.FromResult(input));
}
