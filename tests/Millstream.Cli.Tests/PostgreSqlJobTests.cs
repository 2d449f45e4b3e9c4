using Millstream.PostgreSql.Tests;

namespace Millstream.Cli.Tests;

/// <summary>Kept jobs in a PostgreSQL server.</summary>
[Collection("processes")]
public sealed class PostgreSqlJobTests : IDisposable
{
    private const int Kill = 9;

    private readonly TempFolder _folder = new();
    private readonly GateServer _gate = new();
    private readonly PrivateServer _server;

    public PostgreSqlJobTests()
    {
        Assert.SkipWhen(PrivateServer.Missing is not null, PrivateServer.Missing ?? "");
        _server = PrivateServer.Shared;
    }

    public void Dispose()
    {
        _gate.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Resume_AfterKill_RunsNoFinishedTaskAgain()
    {
        string secret = $"{_server.Url}?schema=kill", shown = $"{_server.UrlOf("postgres")}?schema=kill";
        string path = _folder.Write("main.yaml", $$$"""
            name: main
            tasks:
              first: { uses: http.get, with: {{{_gate.With("first")}}} }
              gate: { uses: http.get, needs: first, with: {{{_gate.With("gate")}}} }
            output: ${{ tasks.gate.output.text }}
            """);
        using (RunningCommand run = RunningCommand.StartCommand(["run", path, "--journal", secret, "--json", "--job-id", "j1"], _folder.Path))
        {
            Assert.Equal(("first", "gate"), (await _gate.AskedAsync(), await _gate.AskedAsync()));
            CommandResult busy = await PlainAsync("resume", "j1", "--journal", secret);
            Assert.Equal((1, $"millstream: job j1 is run by another process; 'millstream watch j1 --journal \"{shown}\"' shows it\n"), (busy.ExitCode, busy.Error));
            run.Signal(Kill);
            await run.EndUnreadAsync();
        }

        // The password may come from the environment as well.
        CommandResult orphaned = await CommandProcess.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Millstream.Cli.dll"), "jobs", "show", "j1", "--journal", shown], null,
            new Dictionary<string, string> { ["PGPASSWORD"] = PrivateServer.Password });
        Assert.Contains($"nobody runs job j1; 'millstream resume j1 --journal \"{shown}\"' goes on with it", orphaned.Output);
        _gate.Open();
        CommandResult resumed = await PlainAsync("resume", "--json", "--journal", secret);
        Assert.True(resumed.ExitCode == 0, resumed.Output + resumed.Error);
        Assert.Equal("gate", await _gate.AskedAsync());
        Assert.False(_gate.WasAskedMore(out string? again), again);
        Assert.Single(JsonLines.Check(resumed.Output), l => l.Kind() == "job.resumed");
        Assert.Equal((0, resumed.Output), (await PlainAsync("watch", "j1", "--json", "--journal", secret)) is var watched ? (watched.ExitCode, watched.Output) : default);
        Assert.Equal((0, "removed 1 job\n"), (await PlainAsync("prune", "--older-than", "1ms", "--journal", secret)) is var pruned ? (pruned.ExitCode, pruned.Output) : default);
        CommandResult nothing = await PlainAsync("resume", "--journal", secret);
        Assert.Equal((0, $"millstream: there is nothing to resume in {shown}\n"), (nothing.ExitCode, nothing.Error));
    }

    [Theory]
    [InlineData(2, "is no port", "jobs", "--journal", "postgres://u:PASSWORD@h:x/d")]
    [InlineData(2, "'colour' with its value is nothing that a connection takes", "jobs", "--journal", "SERVER?colour=PASSWORD")]
    [InlineData(1, "There is no journal in", "jobs", "--journal", "SERVER?schema=none")]
    [InlineData(1, "No PostgreSQL answers at 127.0.0.1:1", "jobs", "--journal", "postgres://u:PASSWORD@127.0.0.1:1/d", "--verbose")]
    [InlineData(1, "does not take the password", "jobs", "--journal", "postgres://owner:PASSWORDx@127.0.0.1:PORT/d", "--verbose")]
    [InlineData(2, "there is no command 'postgres://…'", "jobs", "SERVER")]
    [InlineData(1, "No PostgreSQL answers at 127.0.0.1:1", "run", "FILE", "--journal", "postgres://u:PASSWORD@127.0.0.1:1/d")]
    [InlineData(1, "nowhere.invalid:5432", "run", "FILE", "--journal", "postgres://u:PASSWORD@nowhere.invalid/d")]
    [InlineData(1, "There is no database none at 127.0.0.1", "run", "FILE", "--journal", "postgres://owner:PASSWORD@127.0.0.1:PORT/none")]
    [InlineData(1, "does not take the password", "run", "FILE", "--journal", "postgres://owner:PASSWORDx@127.0.0.1:PORT/d")]
    [InlineData(2, "is no port", "run", "FILE", "--journal", "postgres://u:PASSWORD@h:x/d")]
    [InlineData(2, "neither a path nor the URL", "run", "FILE", "--journal", "postgresq://u:PASSWORD@h/d")]
    [InlineData(2, "neither a path nor the URL", "run", "FILE", "--journal", "postgres:/u:PASSWORD@h/d")]
    [InlineData(2, "neither a path nor the URL", "jobs", "--journal", "Host=h;Username=u;Password=PASSWORD")]
    public async Task WrongUse_SaysWhatToDoAndNoPassword(int code, string message, params string[] args)
    {
        string file = _folder.Write("w.yaml", "name: w\ntasks:\n  a: { uses: template, with: { text: x } }\n");
        CommandResult result = await CommandProcess.RunAsync([.. args.Select(a => a.Replace("FILE", file, StringComparison.Ordinal).Replace("SERVER", _server.Url, StringComparison.Ordinal).Replace("PASSWORD", PrivateServer.Password, StringComparison.Ordinal)
            .Replace("PORT", $"{_server.Port}", StringComparison.Ordinal))]);
        Assert.Equal((code, ""), (result.ExitCode, result.Output));
        Assert.DoesNotContain(PrivateServer.Password, result.Error);
        Assert.Contains(message, result.Error);
    }

    private static async Task<CommandResult> PlainAsync(params string[] args)
    {
        CommandResult result = await CommandProcess.RunAsync(args);
        Assert.DoesNotContain(PrivateServer.Password, result.Output + result.Error);
        return result;
    }
}
