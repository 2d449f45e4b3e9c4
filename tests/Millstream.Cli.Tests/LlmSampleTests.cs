using System.Text.Json;
using System.Text.RegularExpressions;
using Millstream.Llm.Tests.Protocols;

namespace Millstream.Cli.Tests;

/// <summary>The samples of LLM agents in C#, run as users run them but for the model, and docs/llm-agents.md, whose code they are.</summary>
[Collection("processes")]
public sealed class LlmSampleTests(MockModels models)
{
    private static string Root
    {
        get
        {
            string folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "Millstream.slnx")))
                folder = Path.GetDirectoryName(folder)!;
            return folder;
        }
    }

    private static object Call(string name, object arguments) => new { name, arguments = JsonSerializer.Serialize(arguments) };

    private async Task<CommandResult> RunAsync(string sample, string prompt) =>
        await CommandProcess.RunAsync("dotnet", ["run", "-c", "Release", $"{sample}.cs", prompt], Path.Combine(Root, "samples", sample), new Dictionary<string, string>
        {
            ["OPENAI_BASE_URL"] = $"{await models.UrlAsync()}/v1", ["OPENAI_MODEL"] = "gpt-4o-mini", ["OPENAI_API_KEY"] = "", ["ANTHROPIC_API_KEY"] = "", ["OLLAMA_HOST"] = "http://127.0.0.1:9",
        });

    [Fact]
    public void Docs_Code_IsThatOfTheSample()
    {
        string sample = File.ReadAllText(Path.Combine(Root, "samples/shop/shop.cs"));
        string[] blocks = [.. Regex.Matches(File.ReadAllText(Path.Combine(Root, "docs/llm-agents.md")), "```csharp\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value.TrimEnd())];
        Assert.Equal(2, blocks.Length);
        Assert.All(blocks, block => Assert.Contains(block, sample));
    }

    [Fact]
    public async Task Shop_NobodyAllowsTheOrder_ModelIsTold()
    {
        await models.AddAsync(
            new { match = new { userMessage = "shop-sample", turnIndex = 0 }, response = new { toolCalls = new[] { Call("stock", new { article = "ink" }) } } },
            new { match = new { userMessage = "shop-sample", turnIndex = 1 }, response = new { toolCalls = new[] { Call("order", new { article = "ink", count = 5 }) } } },
            new { match = new { userMessage = "shop-sample", turnIndex = 2 }, response = new { content = "There is none, and none is ordered." } });
        CommandResult result = await RunAsync("shop", "shop-sample: is there ink?");
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Contains("[stock gave 0]", result.Output);
        Assert.Contains("each call of order must be allowed. Allow it? [y/N]", result.Output);
        Assert.EndsWith("There is none, and none is ordered.", result.Output.TrimEnd());
    }

    [Fact]
    public async Task AgentFramework_RunsTheAgent()
    {
        await models.AddAsync(
            new { match = new { userMessage = "framework-sample", turnIndex = 0 }, response = new { toolCalls = new[] { Call("words", new { text = "to be or not" }) } } },
            new { match = new { userMessage = "framework-sample", turnIndex = 1 }, response = new { content = "Four words." } });
        CommandResult result = await RunAsync("agent-framework", "framework-sample: count");
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.EndsWith("Four words.", result.Output.TrimEnd());
    }
}
