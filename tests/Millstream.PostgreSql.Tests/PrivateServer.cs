using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Millstream.PostgreSql.Tests;

/// <summary>
/// A PostgreSQL server of one's own: in a temporary folder, on a free loopback port, as an unprivileged user. It ends with the process that started it, however that ends.
/// </summary>
public sealed class PrivateServer : IDisposable
{
    // Ends the server and takes the folder away when its input is closed, which the system does for a process that was killed.
    // A signal to all of the process group, as Ctrl-C and timeout(1) send it, ends the loop as well.
    // What the server writes comes through a pipe: so it is known when it is ready, and when all of its processes are gone.
    private const string Watch = """
        trap : INT TERM HUP
        server= folder=$1 run=$2
        listen() {
            while read -r line; do
                echo "$line" >>"$folder/log"
                case $line in *"ready to accept connections"*) echo up ;; esac
            done
            echo down
        }
        start() { $run "$3" -D "$folder/data" >"$folder/out" 2>&1 </dev/null & server=$!; listen <"$folder/out" & }
        mkfifo "$folder/out"; : >"$folder/log"
        start "$@"
        while read -r word; do
            case $word in
                kill) kill -KILL $server ;;
                start) wait $server; start "$@" ;;
            esac
        done
        kill -QUIT $server; wait
        rm -rf "$folder"
        """;

    private static readonly Lazy<PrivateServer> One = new(() => new PrivateServer(Directory.CreateTempSubdirectory("millstream-pg-").FullName, syncs: false));

    private readonly string _folder;
    private readonly Process _watch;

    private PrivateServer(string folder, bool syncs)
    {
        _folder = folder;
        string bin = Missing is { } missing ? throw new InvalidOperationException(missing) : FindBin()!;
        string data = Path.Combine(folder, "data"), password = Path.Combine(folder, "password");
        File.WriteAllText(password, Password);
        if (IsRoot)
            Run("chown", "-R", "65534:65534", folder);
        try
        {
            Run("sh", "-c", "exec $0 \"$@\"", Prefix, Path.Combine(bin, "initdb"), "-D", data, "-U", User, $"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync");
        }
        catch
        {
            Directory.Delete(folder, true);
            throw;
        }
        Port = FreePort();
        File.AppendAllText(Path.Combine(data, "postgresql.conf"), string.Create(CultureInfo.InvariantCulture, $"""

            listen_addresses = '127.0.0.1'
            port = {Port}
            unix_socket_directories = '{folder}'
            synchronous_commit = off
            fsync = {(syncs ? "on" : "off")}
            max_connections = 200

            """));
        _watch = Process.Start(new ProcessStartInfo("sh", ["-c", Watch, "sh", folder, Prefix, Path.Combine(bin, "postgres")]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();
        Hear("up");
    }

    /// <summary>One for all of a test run.</summary>
    public static PrivateServer Shared => One.Value;

    /// <summary>Why there can be none; null where there can.</summary>
    public static string? Missing { get; } = !OperatingSystem.IsLinux() ? "only on Linux"
        : FindBin() is null ? "there is no PostgreSQL here (package postgresql)"
        : IsRoot && !InPath("setpriv") ? "there is no setpriv (package util-linux), and root may not run PostgreSQL"
        : null;

    public static string User => "owner";

    public static string Password { get; } = Guid.NewGuid().ToString("N");

    public int Port { get; }

    public string Url => UrlOf("postgres", Password);

    /// <summary>A further one, which syncs as a real one does.</summary>
    /// <param name="folder">An empty folder for it, which it takes away in the end; a temporary one unless given.</param>
    public static PrivateServer Start(string? folder = null) => new(folder ?? Directory.CreateTempSubdirectory("millstream-pg-").FullName, syncs: true);

    public string UrlOf(string database, string? password = null, int? port = null) => $"postgres://{User}{(password is null ? "" : $":{password}")}@127.0.0.1:{port ?? Port}/{database}";

    /// <summary>Kills it with SIGKILL. Done when all of its processes are gone; what had not been written is lost.</summary>
    public void Crash() => Say("kill", "down");

    /// <summary>Starts it again.</summary>
    public void StartAgain() => Say("start", "up");

    public void Dispose()
    {
        if (_watch.HasExited)
            return;
        _watch.StandardInput.Close();
        _watch.WaitForExit();
    }

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    private static string Prefix => IsRoot ? "setpriv --reuid=65534 --regid=65534 --clear-groups --" : "env";

    private static string? FindBin()
    {
        string[] versions = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        return versions.Select(v => Path.Combine(v, "bin")).Concat(Folders())
            .Where(b => File.Exists(Path.Combine(b, "initdb")) && File.Exists(Path.Combine(b, "postgres")))
            .OrderByDescending(b => int.TryParse(Path.GetFileName(Path.GetDirectoryName(b)), out int version) ? version : 0).FirstOrDefault();
    }

    private static string[] Folders() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');

    private static bool InPath(string name) => Folders().Any(f => File.Exists(Path.Combine(f, name)));

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void Run(string file, params string[] args)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, args) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{file} {string.Join(' ', args)} ended with {process.ExitCode}: {output.Result}{error}");
    }

    private void Say(string word, string answer)
    {
        _watch.StandardInput.WriteLine(word);
        _watch.StandardInput.Flush();
        Hear(answer);
    }

    private void Hear(string word)
    {
        if (_watch.StandardOutput.ReadLine() is var said && said != word)
            throw new InvalidOperationException($"PostgreSQL is {said ?? "without its keeper"} and should be {word}:\n{File.ReadAllText(Path.Combine(_folder, "log"))}");
    }
}
