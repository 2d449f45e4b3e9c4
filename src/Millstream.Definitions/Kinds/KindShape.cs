namespace Millstream.Definitions;

/// <summary>What a task kind takes under <c>with</c> and gives as <c>output</c>.</summary>
internal sealed record KindShape(string Name, DataType With, DataType Output)
{
    private static DataType Texts { get; } = DataType.ArrayOf(DataType.String);

    private static DataType TextMap { get; } = DataType.MapOf(DataType.String);

    /// <summary>The kinds that come with workflow files.</summary>
    public static IReadOnlyDictionary<string, KindShape> BuiltIn { get; } = new KindShape[]
    {
        new("sandbox.run",
            DataType.ObjectOf(("command!", Texts), ("stdin", DataType.String), ("env", TextMap), ("secrets", TextMap), ("files", TextMap), ("collect", Texts),
                ("mounts", DataType.ArrayOf(DataType.ObjectOf(("host!", DataType.String), ("path!", DataType.String), ("access", DataType.OneOf("read", "write"))))),
                ("limits", DataType.ObjectOf(("time", DataType.Duration), ("memory", DataType.Size), ("processes", DataType.Integer),
                    ("output", DataType.Size), ("disk", DataType.Size), ("required", DataType.Boolean))),
                ("allowed_exit_codes", DataType.ArrayOf(DataType.Integer))),
            DataType.ObjectOf(("stdout", DataType.String), ("lines", Texts), ("stderr", DataType.String), ("exitCode", DataType.Integer),
                ("files", DataType.ArrayOf(DataType.Any)), ("truncated", DataType.Boolean), ("notEnforced", Texts))),
        new("http.get",
            DataType.ObjectOf(("url!", DataType.String), ("headers", TextMap), ("secret_headers", TextMap), ("timeout", DataType.Duration), ("max_bytes", DataType.Size),
                ("max_redirects", DataType.Integer), ("allow_hosts", Texts)),
            DataType.ObjectOf(("status", DataType.Integer), ("headers", TextMap), ("text", DataType.String), ("json", DataType.Any))),
        new("file.read",
            DataType.ObjectOf(("path!", DataType.String), ("max_bytes", DataType.Size)),
            DataType.ObjectOf(("path", DataType.String), ("text", DataType.String), ("lines", Texts), ("bytes", DataType.Integer))),
        new("file.write",
            DataType.ObjectOf(("path!", DataType.String), ("text!", DataType.String)),
            DataType.ObjectOf(("path", DataType.String), ("bytes", DataType.Integer))),
        new("template",
            DataType.ObjectOf(("text", DataType.String), ("file", DataType.String), ("values", DataType.MapOf(DataType.Any))),
            DataType.ObjectOf(("text", DataType.String))),
        new("llm.chat",
            DataType.ObjectOf(("model", DataType.String), ("prompt", DataType.String),
                ("messages", DataType.ArrayOf(DataType.ObjectOf(("role!", DataType.OneOf("system", "user", "assistant")), ("content!", DataType.String)))),
                ("system", DataType.String), ("temperature", DataType.Number), ("max_tokens", DataType.Integer), ("output", DataType.MapOf(DataType.Any))),
            DataType.ObjectOf(("text", DataType.String), ("json", DataType.Any), ("model", DataType.String),
                ("usage", DataType.ObjectOf(("input", DataType.Integer), ("output", DataType.Integer), ("cached", DataType.Integer))), ("cost", DataType.Number), ("replayed", DataType.Boolean))),
        new("agent",
            DataType.ObjectOf(("agent", DataType.String), ("version", DataType.String), ("file", DataType.String), ("prompt", DataType.String), ("input", DataType.Any)),
            DataType.Any),
        new("workflow",
            DataType.ObjectOf(("file!", DataType.String), ("input", DataType.MapOf(DataType.Any))),
            DataType.Any),
    }.ToDictionary(k => k.Name, StringComparer.Ordinal);
}
