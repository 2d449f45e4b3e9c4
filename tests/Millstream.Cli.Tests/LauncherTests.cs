namespace Millstream.Cli.Tests;

/// <summary>
/// ./millstream, in a clone of its own with a stand-in for dotnet that writes down what it is asked and "builds" in no time.
/// </summary>
[Collection("processes")]
public sealed class LauncherTests : IDisposable
{
    private const string Stub = """
        #!/bin/sh
        echo "$@" >>"$STUB_LOG"
        echo "scratch ${NUGET_SCRATCH-}" >>"$STUB_LOG"
        case $1 in
            build)
                sleep "${STUB_SECONDS:-0}"
                [ -z "${STUB_FAILS-}" ] || { echo "Bad.cs(1,2): error CS1002: ; expected"; exit 1; }
                while [ "$1" != --artifacts-path ]; do shift; done
                mkdir -p "$2/bin/Millstream.Cli/release"
                echo built >"$2/bin/Millstream.Cli/release/Millstream.Cli.dll" ;;
            *) cat "$1"; shift; pwd; for a; do echo "[$a]"; done; exit 7 ;;
        esac

        """;

    private readonly TempFolder _folder = new();
    private readonly string _clone;
    private readonly string _log;

    public LauncherTests()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("./millstream is for systems with a POSIX shell");
        string source = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(source, "Millstream.slnx")))
            source = Path.GetDirectoryName(source)!;
        _clone = Path.Combine(_folder.Path, "my clone");
        _log = Path.Combine(_folder.Path, "log");
        foreach (string file in (string[])["millstream", "eng/setup.sh", "Directory.Build.props", "Directory.Packages.props", "global.json", "src/Millstream.Cli/Program.cs"])
        {
            _folder.Write("my clone/" + file, "");
            File.Copy(Path.Combine(source, file), Path.Combine(_clone, file), overwrite: true);
        }

        Executable(_folder.Write("bin/dotnet", Stub));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FirstStart_BuildsOnceAndBecomesTheCommand()
    {
        CommandResult first = await StartAsync(["graph", "a b", "*", ""]), second = await StartAsync(["--version"]);
        Assert.Equal(7, first.ExitCode);
        Assert.Equal($"built\n{_folder.Path}\n[graph]\n[a b]\n[*]\n[]\n", first.Output);
        Assert.Equal("millstream: building (only when a source has changed)\n", first.Error);
        Assert.Equal(("", 1), (second.Error, Builds()));
    }

    [Fact]
    public async Task ChangedOrRemovedSource_BuildsAgain()
    {
        await StartAsync([]);
        File.SetLastWriteTimeUtc(_folder.Write("my clone/src/Millstream.Cli/New.cs", ""), DateTime.UtcNow.AddSeconds(5));
        await StartAsync([]);
        Assert.Equal(2, Builds());
        File.Move(Path.Combine(_clone, "src/Millstream.Cli/New.cs"), Path.Combine(_clone, "src/Millstream.Cli/Other.cs"));
        File.SetLastWriteTimeUtc(Path.Combine(_clone, "src/Millstream.Cli/Other.cs"), DateTime.UtcNow.AddDays(-1));
        await StartAsync([]);
        Assert.Equal(3, Builds());
        File.Delete(Path.Combine(_clone, "src/Millstream.Cli/Other.cs"));
        await StartAsync([]);
        Assert.Equal(4, Builds());
    }

    [Fact]
    public async Task OutputsThatComeAndGo_AreNoSources()
    {
        await StartAsync([]);
        _folder.Write("my clone/src/Millstream.Cli/obj/x.cs", "");
        Directory.SetLastWriteTimeUtc(Path.Combine(_clone, "src/Millstream.Cli"), DateTime.UtcNow.AddSeconds(5));
        await StartAsync([]);
        Assert.Equal(1, Builds());
    }

    [Fact]
    public async Task BySymlinkFromElsewhere_FindsItsClone()
    {
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "link"), "my clone/millstream");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "link2"), Path.Combine(_folder.Path, "link"));
        CommandResult result = await CommandProcess.RunAsync(Path.Combine(_folder.Path, "link2"), ["x"], "/", Settings());
        Assert.Equal("built\n/\n[x]\n", result.Output);
    }

    [Fact]
    public async Task FailedBuild_PrintsErrorsAndEndsWith1()
    {
        CommandResult result = await StartAsync(["run"], ("STUB_FAILS", "1"));
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("Bad.cs(1,2): error CS1002: ; expected", result.Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ScratchFolderThatIsNotOurs_IsReplacedByOneInTheClone(bool isOthers)
    {
        // A file stands for the folder of another user, which only root could make.
        string name = (await CommandProcess.RunAsync("id", ["-un"])) is { ExitCode: 0, Output: var user } ? user.Trim() : "";
        string temporary = Path.Combine(_folder.Path, "tmp");
        Directory.CreateDirectory(temporary);
        if (isOthers)
            File.WriteAllText(Path.Combine(temporary, $"NuGetScratch{name}"), "");
        await StartAsync([], ("TMPDIR", temporary), ("NUGET_SCRATCH", ""));
        Assert.Contains(isOthers ? $"\nscratch {_clone}/.build/nuget\n" : "\nscratch \n", File.ReadAllText(_log));
    }

    [Fact]
    public async Task TwoAtOnce_BuildOnceAndBothRun()
    {
        CommandResult[] results = await Task.WhenAll(StartAsync(["a"], ("STUB_SECONDS", "1")), StartAsync(["b"], ("STUB_SECONDS", "1")));
        Assert.Equal([7, 7], results.Select(r => r.ExitCode));
        Assert.Equal(1, Builds());
    }

    [Fact]
    public async Task NoDotnet_SaysWhatToInstall()
    {
        string tools = Tools();
        Dictionary<string, string> settings = new() { ["PATH"] = tools, ["HOME"] = _folder.Path, ["DOTNET_ROOT"] = "/nowhere" };
        CommandResult none = await CommandProcess.RunAsync(Path.Combine(_clone, "millstream"), [], _folder.Path, settings);
        Assert.Equal(1, none.ExitCode);
        Assert.Contains("the .NET SDK 10 is needed", none.Error);
    }

    [Theory]
    [InlineData("root", "run", "apt-get install -y -q bubblewrap", "millstream: installing bubblewrap for the sandboxes")]
    [InlineData("root, stale lists", "run", "apt-get install -y -q bubblewrap|apt-get update -q|apt-get install -y -q bubblewrap", "installing")]
    [InlineData("root, broken", "run", "apt-get install -y -q bubblewrap|apt-get update -q", "bubblewrap could not be installed; going on without it")]
    [InlineData("sudo", "run", "sudo -n true|sudo -n apt-get install -y -q bubblewrap|apt-get install -y -q bubblewrap", "installing")]
    [InlineData("user", "run", "sudo -n true", "")]
    [InlineData("root", "graph", "", "")]
    public async Task WithoutBubblewrap_InstallsItWhereItMay(string who, string command, string calls, string says)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("bubblewrap is for Linux");
        string tools = Tools(), log = Path.Combine(_folder.Path, "calls");
        void Tool(string name, string body) => Executable(_folder.Write("tools/" + name, $"#!/bin/sh\n{body}\n"));
        File.Copy(Path.Combine(_folder.Path, "bin/dotnet"), Path.Combine(tools, "dotnet"));
        Tool("id", $"echo {(who.StartsWith("root", StringComparison.Ordinal) ? 0 : 1000)}");
        Tool("sudo", $"echo \"sudo $*\" >>'{log}'\n" + (who == "sudo" ? "shift; exec \"$@\"" : "exit 1"));
        Tool("apt-get", $"echo \"apt-get $*\" >>'{log}'\n" + who switch
        {
            "root, broken" => "exit 100",
            "root, stale lists" => $"[ $1 = update ] || grep -q update '{log}'",
            _ => "",
        });
        CommandResult result = await StartAsync([command], ("PATH", tools));
        Assert.Equal(7, result.ExitCode);
        Assert.Equal(calls, File.Exists(log) ? File.ReadAllText(log).Trim().Replace('\n', '|') : "");
        Assert.Contains(says, result.Error);
        Assert.Equal(says.Length > 0, result.Error.Contains("bubblewrap"));
    }

    [Fact]
    public async Task OldBuilds_GoButNotTheLastTwo()
    {
        for (int i = 1; i <= 4; i++)
        {
            await StartAsync([]);
            File.SetLastWriteTimeUtc(_folder.Write("my clone/src/Millstream.Cli/New.cs", ""), DateTime.UtcNow.AddSeconds(10 * i));
        }

        Assert.Equal(4, Builds());
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(_clone, ".build"), "cli.*").Length);
    }

    /// <summary>A PATH with nothing in it but what the scripts need of a system.</summary>
    private string Tools()
    {
        string tools = Path.Combine(_folder.Path, "tools");
        Directory.CreateDirectory(tools);
        foreach (string tool in "sh dirname readlink cat find head date mkdir grep sort cksum cp touch mv rm tail sleep uname flock true".Split(' '))
            if (new[] { "/usr/bin/", "/bin/" }.Select(f => f + tool).FirstOrDefault(File.Exists) is { } path)
                File.CreateSymbolicLink(Path.Combine(tools, tool), path);
        return tools;
    }

    private Task<CommandResult> StartAsync(string[] args, params (string Name, string Value)[] more)
    {
        Dictionary<string, string> settings = Settings();
        foreach ((string name, string value) in more)
            settings[name] = value;
        return CommandProcess.RunAsync(Path.Combine(_clone, "millstream"), args, _folder.Path, settings);
    }

    private Dictionary<string, string> Settings() => new()
    {
        ["PATH"] = Path.Combine(_folder.Path, "bin") + ":" + Environment.GetEnvironmentVariable("PATH"),
        ["STUB_LOG"] = _log,
    };

    private int Builds() => File.ReadLines(_log).Count(l => l.StartsWith("build ", StringComparison.Ordinal));

    private static void Executable(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
