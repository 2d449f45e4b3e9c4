using System.Globalization;

namespace Millstream.Definitions;

/// <summary>Finds what in a file gave a part of a value.</summary>
internal static class ValuePath
{
    /// <summary>The node at a path such as <c>.mounts[0].host</c>, or the last on the way to it.</summary>
    /// <param name="node">Where the path begins.</param>
    /// <param name="path">The path.</param>
    /// <param name="isWhole">Whether the node is what the path names, and not what gave it as a part.</param>
    public static ValueNode Find(ValueNode node, string path, out bool isWhole)
    {
        while (path.Length > 0 && Step(node, path) is { } step)
            (node, path) = (step.Node, path[step.Length..]);
        isWhole = path.Length == 0;
        return node;
    }

    // A key may hold dots and brackets itself; the longest that fits is meant.
    private static (ValueNode Node, int Length)? Step(ValueNode node, string path)
    {
        if (node is ListValue list)
        {
            int end = path.IndexOf(']', StringComparison.Ordinal);
            return end > 0 && int.TryParse(path.AsSpan(1, end - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < list.Items.Count ? (list.Items[index], end + 1) : null;
        }
        (string? key, _, ValueNode? value) = ((node as MapValue)?.Entries ?? []).Where(e => IsFirst(e.Key, path)).OrderByDescending(e => e.Key.Length).FirstOrDefault();
        return value is null ? null : (value, key!.Length + 1);
    }

    private static bool IsFirst(string key, string path) =>
        path[0] == '.' && string.CompareOrdinal(path, 1, key, 0, key.Length) == 0 && (path.Length == key.Length + 1 || path.Length > key.Length + 1 && path[key.Length + 1] is '.' or '[');
}
