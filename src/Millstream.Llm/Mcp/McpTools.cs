using System.Security.Cryptography;
using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Millstream;

/// <summary>The tools of an MCP server as a job knows them: what it may call until a person allows another list.</summary>
/// <param name="Hash">The hash of names, descriptions and schemas.</param>
/// <param name="Tools">The tools.</param>
public sealed record McpTools(string Hash, IReadOnlyList<McpToolInfo> Tools)
{
    internal static McpTools Of(McpServer server, IEnumerable<Tool> tools)
    {
        // A name twice is a server's fault; the first one counts.
        McpToolInfo[] wanted = [.. tools.Where(t => server.Tools?.Contains(t.Name) ?? true).DistinctBy(t => t.Name, StringComparer.Ordinal).OrderBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => new McpToolInfo(t.Name, t.Description ?? t.Title ?? "", t.InputSchema.Clone()))];
        if (server.Tools?.FirstOrDefault(name => !wanted.Any(t => t.Name == name)) is { } missing)
            throw new TerminalTaskException($"MCP server {server.Name} has no tool '{missing}', which {nameof(McpServer)}.{nameof(McpServer.Tools)} names; it has {string.Join(", ", tools.Select(t => t.Name).Order(StringComparer.Ordinal).DefaultIfEmpty("none"))}");
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(wanted, AIJson.Options);
        return new McpTools(Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, 16)), wanted);
    }

    /// <summary>How another list differs, in a sentence's end.</summary>
    internal string ChangesTo(McpTools other)
    {
        Dictionary<string, McpToolInfo> mine = Tools.ToDictionary(t => t.Name, StringComparer.Ordinal), theirs = other.Tools.ToDictionary(t => t.Name, StringComparer.Ordinal);
        string[] parts =
        [
            .. theirs.Keys.Except(mine.Keys).Order(StringComparer.Ordinal).Select(n => $"{n} is new"),
            .. mine.Keys.Except(theirs.Keys).Order(StringComparer.Ordinal).Select(n => $"{n} is gone"),
            .. mine.Keys.Intersect(theirs.Keys).Where(n => mine[n].Description != theirs[n].Description || mine[n].InputSchema.GetRawText() != theirs[n].InputSchema.GetRawText())
                .Order(StringComparer.Ordinal).Select(n => $"{n} says something else of itself"),
        ];
        return string.Join(", ", parts);
    }
}

/// <summary>One tool of an MCP server.</summary>
/// <param name="Name">The server's name for it.</param>
/// <param name="Description">What it says of itself.</param>
/// <param name="InputSchema">The JSON schema of its arguments.</param>
public sealed record McpToolInfo(string Name, string Description, JsonElement InputSchema);
