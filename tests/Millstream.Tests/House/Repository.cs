namespace Millstream.Tests.House;

/// <summary>The files of the clone that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The C# files under a folder, without what a build made, in a fixed order.</summary>
    public static IEnumerable<string> Sources(string folder) => Files(folder, "*.cs");

    public static IEnumerable<string> Files(string folder, string pattern)
    {
        string full = Path.Combine(Root, folder);
        return Directory.EnumerateFiles(full, pattern, SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(full, f).Split('/', '\\').Any(part => part is "bin" or "obj" || (part.StartsWith('.') && part.Length > 1)))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>A path as people write it: from the root of the clone, with slashes.</summary>
    public static string Name(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Millstream.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"no Millstream.slnx above {AppContext.BaseDirectory}");
        return folder;
    }
}
