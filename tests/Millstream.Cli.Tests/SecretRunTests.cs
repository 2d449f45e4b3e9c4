using System.Text.Json;

namespace Millstream.Cli.Tests;

/// <summary>Secrets in workflow files: references in the journal, values in the sandbox only.</summary>
[Collection("processes")]
public sealed class SecretRunTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Secret_ThatIsMissing_IsWaitedForAndNeverStored()
    {
        await SandboxNeeded.OrSkipAsync();
        string key = Path.Combine(_folder.Path, "key"), journal = Path.Combine(_folder.Path, "journal.db");
        string file = _folder.Write("secret.yaml", $$$"""
            name: secret
            resources: { sandbox: 1 }
            tasks:
              count: { uses: sandbox.run, with: { command: [sh, -c, "printf %s \"$KEY\" | wc -c"], secrets: { KEY: "file:{{{key}}}" } } }
            output: ${{ tasks.count.output.lines[0] }}
            """);
        using (RunningCommand run = RunningCommand.Start(file, "--journal", journal, "--job-id", "j", "--json"))
        {
            JsonElement waits = JsonDocument.Parse(await run.WaitForAsync("task.waiting")).RootElement;
            Assert.Equal($"secret file:{key}: there is no such file", waits.GetProperty("reason").GetString());
            CommandResult shown = await CommandProcess.RunAsync("jobs", "show", "j", "--journal", journal);
            Assert.Contains($"count: waits for secret file:{key}: there is no such file", shown.Output);
            await File.WriteAllTextAsync(key, "hush-hush-hush\n");
            CommandResult result = await run.EndAsync();
            Assert.True(result.ExitCode == 0, result.Output + result.Error);
            Assert.Equal("14", JsonLines.Check(result.Output)[^1].GetProperty("output").GetString()!.Trim());
            Assert.DoesNotContain("hush", result.Output);
        }
        foreach (string stored in Directory.GetFiles(_folder.Path, "journal.db*"))
            Assert.Equal(-1, (await File.ReadAllBytesAsync(stored)).AsSpan().IndexOf("hush"u8));
        CommandResult watched = await CommandProcess.RunAsync("watch", "j", "--journal", journal);
        Assert.Contains($"count waits for secret file:{key}: there is no such file", watched.Error);
    }
}
