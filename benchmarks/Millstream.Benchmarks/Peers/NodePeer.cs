using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Millstream;

/// <summary>
/// A script of <c>benchmarks/peers</c> that runs under node: it says "ready", then answers each line "MANY STEPS" with the microseconds a step took.
/// What it needs npm puts once into <c>.build</c> of the repository, under the hash of its package.json.
/// </summary>
internal sealed class NodePeer : IDisposable
{
    private static readonly string Source = Path.Combine(AppContext.BaseDirectory, "peers");

    private readonly Process _process;

    private NodePeer(Process process)
    {
        _process = process;
    }

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Missing { get; } = Tools.Find("node") is null || Tools.Find("npm") is null ? "node and npm are not here" : null;

    public static async Task<NodePeer> StartAsync(string script, params string[] arguments)
    {
        string folder = await InstalledAsync();
        File.Copy(Path.Combine(Source, script), Path.Combine(folder, script), true);
        NodePeer peer = new(Start(folder, "node", ["--no-deprecation", script, .. arguments]));
        return await peer._process.StandardOutput.ReadLineAsync() == "ready" ? peer : throw new InvalidOperationException($"{script} did not start: {await peer._process.StandardOutput.ReadToEndAsync()}");
    }

    /// <returns>Microseconds a step.</returns>
    public async Task<double> AskAsync(int many, int steps)
    {
        await _process.StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{many} {steps}"));
        return double.Parse(await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the peer ended"), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static async Task<string> InstalledAsync()
    {
        byte[] package = await File.ReadAllBytesAsync(Path.Combine(Source, "package.json"));
        string build = Path.Combine(Root(), ".build"), folder = Path.Combine(build, $"peers-{Convert.ToHexStringLower(SHA256.HashData(package))[..12]}"), made = $"{folder}.{Environment.ProcessId}";
        if (Directory.Exists(folder))
            return folder;
        Directory.CreateDirectory(made);
        await File.WriteAllBytesAsync(Path.Combine(made, "package.json"), package);
        using Process install = Start(made, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error");
        string said = await install.StandardOutput.ReadToEndAsync();
        await install.WaitForExitAsync();
        if (install.ExitCode != 0)
        {
            Directory.Delete(made, true);
            throw new PeerMissingException($"npm could not install it (exit code {install.ExitCode}): {said}");
        }
        // In one step, so that a folder of that name is whole.
        Directory.Move(made, folder);
        return folder;
    }

    private static string Root()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millstream.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"{AppContext.BaseDirectory} is not in the repository");
    }

    private static Process Start(string folder, string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true })!;
}
