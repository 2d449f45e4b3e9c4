namespace Millstream.Definitions;

/// <summary>What a kind of tool takes under <c>with</c> of an agent file. What a model gives when it calls it is another thing.</summary>
internal sealed record ToolShape(string Name, DataType With)
{
    private static DataType Texts { get; } = DataType.ArrayOf(DataType.String);

    private static DataType TextMap { get; } = DataType.MapOf(DataType.String);

    /// <summary>The kinds that agent files may use.</summary>
    public static IReadOnlyDictionary<string, ToolShape> All { get; } = new ToolShape[]
    {
        new("sandbox.run", DataType.ObjectOf(KindShape.BuiltIn["sandbox.run"].With.Fields.Where(f => f.Key is "env" or "secrets" or "mounts" or "limits").ToDictionary())),
        new("http.get", DataType.ObjectOf(("allow_hosts", Texts), ("public", DataType.Boolean), ("headers", TextMap), ("secret_headers", TextMap),
            ("timeout", DataType.Duration), ("max_bytes", DataType.Size), ("max_redirects", DataType.Integer))),
        new("file.read", DataType.ObjectOf(("folder", DataType.String), ("max_bytes", DataType.Size))),
        new("file.write", DataType.ObjectOf(("folder", DataType.String), ("max_bytes", DataType.Size), ("overwrite", DataType.Boolean), ("hidden", DataType.Boolean))),
        new("file.list", DataType.ObjectOf(("folder", DataType.String), ("max_entries", DataType.Integer))),
        new("mcp", DataType.ObjectOf(("command", Texts), ("env", TextMap), ("secrets", TextMap), ("folder", DataType.String),
            ("url", DataType.String), ("headers", TextMap), ("secret_headers", TextMap), ("tools", Texts), ("connect_timeout", DataType.Duration), ("call_timeout", DataType.Duration))),
        new("agent", DataType.ObjectOf(("file!", DataType.String))),
        new("workflow", DataType.ObjectOf(("file!", DataType.String))),
    }.ToDictionary(s => s.Name, StringComparer.Ordinal);
}
