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

    public IEnumerable<LlmTool> All => _tools.Values;

    /// <summary>What there is, as the end of a sentence.</summary>
    public string Names => _tools.Count == 0 ? "are none" : $"are {string.Join(", ", _tools.Keys.Order(StringComparer.Ordinal))}";

    public LlmTool? Find(string name) => _tools.GetValueOrDefault(name);
}
