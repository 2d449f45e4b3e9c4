using System.Diagnostics;

namespace Millstream.Llm.Tests.Protocols;

/// <summary>The servers of tests/peers, installed by npm into .build/peers.</summary>
internal static class Peers
{
    private static readonly Lazy<string> Installed = new(Install);

    /// <summary>Why there can be none; null where there can.</summary>
    public static string? Missing { get; } = InPath("node") is null ? "there is no node here (package nodejs)" : InPath("npm") is null ? "there is no npm here (package npm)" : null;

    /// <summary>The folder with the scripts and node_modules.</summary>
    public static string Folder => Missing is { } missing ? throw new InvalidOperationException(missing) : Installed.Value;

    private static string? InPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(f => Path.Combine(f, OperatingSystem.IsWindows() ? name + ".cmd" : name)).FirstOrDefault(File.Exists);

    private static string Install()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Millstream.slnx")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("these tests run inside the repository only: there is no Millstream.slnx above them");
        string source = Path.Combine(root, "tests", "peers"), folder = Path.Combine(root, ".build", "peers");
        Directory.CreateDirectory(folder);
        // Another test run may install at the same time.
        using FileStream turn = Locked(Path.Combine(folder, "lock"));
        string stamp = Path.Combine(folder, "installed"), wanted = File.ReadAllText(Path.Combine(source, "package-lock.json"));
        foreach (string file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        if (File.Exists(stamp) && File.ReadAllText(stamp) == wanted)
            return folder;
        File.Delete(stamp);
        using Process npm = Process.Start(new ProcessStartInfo(InPath("npm")!, ["ci", "--loglevel=error"]) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> output = npm.StandardOutput.ReadToEndAsync();
        string error = npm.StandardError.ReadToEnd();
        npm.WaitForExit();
        if (npm.ExitCode != 0)
            throw new InvalidOperationException($"npm ci in {folder} ended with {npm.ExitCode}: {output.Result}{error}");
        File.WriteAllText(stamp, wanted);
        return folder;
    }

    private static FileStream Locked(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                Thread.Yield();
            }
        }
    }
}
