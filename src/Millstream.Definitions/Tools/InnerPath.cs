using System.Text;

namespace Millstream.Definitions;

/// <summary>Paths inside a folder, as a file or a model gives them.</summary>
internal static class InnerPath
{
    private const int MostBytes = 1024, MostNameBytes = 255, MostNames = 32;

    /// <summary>Why a text is no path inside, to be put behind it; null where it is one. <c>.</c> is the folder itself.</summary>
    public static string? Fault(string path)
    {
        if (path.Length == 0)
            return "is empty";
        if (path.AsSpan().IndexOfAnyInRange('\0', '\u001f') >= 0 || path.Contains('\u007f', StringComparison.Ordinal))
            return "has a control character in it";
        if (path[0] == '/' || path[0] == '\\' || Path.IsPathFullyQualified(path))
            return "is absolute; give it relative to the folder";
        if (path.Contains('\\', StringComparison.Ordinal))
            return "has a '\\' in it; write '/' between names";
        if (Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(path)) != path)
            return "is no valid text";
        if (Encoding.UTF8.GetByteCount(path) > MostBytes)
            return $"has more than {MostBytes} bytes";
        string[] names = Names(path);
        return names.Contains("..") ? "leads out of the folder by '..'"
            : names.Length > MostNames ? $"has more than {MostNames} names"
            : names.Any(n => Encoding.UTF8.GetByteCount(n) > MostNameBytes) ? $"has a name of more than {MostNameBytes} bytes"
            : null;
    }

    /// <summary>The names of a path without those that mean nothing.</summary>
    public static string[] Names(string path) => [.. path.Split('/').Where(n => n.Length > 0 && n != ".")];
}
