namespace Millstream;

/// <summary>The tools that a model may call in a turn, by name.</summary>
internal sealed class ToolBox
{
    private readonly Dictionary<string, LlmTool> _tools = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">Two have one name, or a schema is none.</exception>
    public ToolBox(IEnumerable<LlmTool> tools)
    {
        foreach (LlmTool tool in tools)
        {
            _ = tool.Schema;
            if (!_tools.TryAdd(tool.Name, tool))
                throw new ArgumentException($"There are two tools named {tool.Name}; give one of them another name.");
        }
    }

    /// <summary>Own tools and those of MCP servers. What is wrong with one of a server ends no job: it is left out.</summary>
    /// <param name="own">The agent's.</param>
    /// <param name="servers">Those of its servers, in an order that is the same each time: the first of a name counts.</param>
    public ToolBox(ToolBox own, IEnumerable<McpTool> servers)
    {
        foreach (LlmTool tool in own.All)
            _tools.Add(tool.Name, tool);
        List<(McpTool, string)> left = [];
        foreach (McpTool tool in servers)
        {
            if (tool.SchemaFault is { } fault)
                left.Add((tool, fault));
            else if (!_tools.TryAdd(tool.Name, tool))
                left.Add((tool, $"There is another tool named {tool.Name}."));
        }
        LeftOut = left;
    }

    /// <summary>What the model is not told of, and why.</summary>
    public IReadOnlyList<(McpTool Tool, string Why)> LeftOut { get; } = [];

    public IEnumerable<LlmTool> All => _tools.Values;

    /// <summary>What there is, as the end of a sentence.</summary>
    public string Names => _tools.Count == 0 ? "are none" : $"are {string.Join(", ", _tools.Keys.Order(StringComparer.Ordinal))}";

    public LlmTool? Find(string name) => _tools.GetValueOrDefault(name);
}
