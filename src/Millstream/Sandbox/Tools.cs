namespace Millstream;

/// <summary>Where the helper programs are.</summary>
internal static class Tools
{
    private static readonly string[] s_folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];

    /// <summary>The full path, from PATH and then the usual folders; null where there is none.</summary>
    public static string? Find(string program)
    {
        if (program.Contains('/'))
            return IsProgram(program) ? Path.GetFullPath(program) : null;
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(Path.IsPathRooted).Concat(s_folders);
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(IsProgram);
    }

    // As a shell looks: what may not be executed is passed over.
    private static bool IsProgram(string path) =>
        File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}
