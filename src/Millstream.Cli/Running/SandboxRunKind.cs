using System.Text;
using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Running;

/// <summary><c>sandbox.run</c>: one command in a fresh sandbox, its output streamed while it runs.</summary>
internal static class SandboxRunKind
{
    private const string Work = "/work/";
    private const int LinesSaid = 5;
    private const int TextLimit = 256 * 1024;

    public static TaskKind Kind { get; } = new("sandbox.run", use => AgentTask.Create<JsonElement, JsonElement>(use.TaskId, (with, context) => RunAsync(with, use.BaseFolder, context), [ResourceRequirement.Exclusive("sandbox")]));

    /// <summary>Runs one command in the sandbox that the task has leased.</summary>
    /// <param name="with">What the kind takes.</param>
    /// <param name="folder">What relative paths of the host mean.</param>
    /// <param name="context">The task's context.</param>
    public static async Task<JsonElement> RunAsync(JsonElement with, string folder, TaskContext context)
    {
        if (ValueRanges.Fault("sandbox.run", with) is { } fault)
            throw new TerminalTaskException(fault);
        (string Name, string Text)[] secrets = [.. with.Secrets("sandbox.run", "secrets", context)];
        if (with.TextMap("env").Select(e => e.Name).Intersect(secrets.Select(s => s.Name), StringComparer.Ordinal).FirstOrDefault() is { } twice)
            throw new TerminalTaskException($"sandbox.run: {twice} stands under 'env' and under 'secrets'; leave one of them out");
        SandboxResult result;
        try
        {
            result = await context.Resource<Sandbox>().RunAsync(Command(with, folder, secrets), (stream, chunk) => context.Delta(chunk, stream), context.CancellationToken);
        }
        catch (Exception e) when (e is SandboxException or ArgumentException)
        {
            throw new TerminalTaskException($"sandbox.run: {e.Message}", e);
        }

        Check(with, result);
        string stdout = Encoding.UTF8.GetString(result.StandardOutput.Span);
        return JsonSerializer.SerializeToElement(new
        {
            stdout,
            lines = Lines(stdout),
            stderr = Encoding.UTF8.GetString(result.StandardError.Span),
            exitCode = result.ExitCode,
            files = result.Files.Select(Reference),
            truncated = result.OutputTruncated || result.ErrorTruncated || result.FilesTruncated,
            notEnforced = result.NotEnforced,
        });
    }

    private static SandboxCommand Command(JsonElement with, string folder, (string Name, string Text)[] secrets) => new()
    {
        Arguments = [.. with.Texts("command")],
        StandardInput = Encoding.UTF8.GetBytes(with.Text("stdin") ?? ""),
        Environment = with.TextMap("env").Concat(secrets).ToDictionary(e => e.Name, e => e.Text, StringComparer.Ordinal),
        Files = with.TextMap("files").ToDictionary(f => Inside(f.Name), f => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(f.Text), StringComparer.Ordinal),
        Collect = [.. with.Texts("collect").Select(Inside)],
        Mounts = [.. with.List("mounts").Select(m => new SandboxMount(Path.GetFullPath(Path.Combine(folder, m.Text("host")!)), m.Text("path")!, m.Text("access") == "write" ? SandboxAccess.Write : SandboxAccess.Read))],
        Limits = with.Find("limits") is { } limits ? Limits(limits) : new SandboxLimits(),
    };

    private static SandboxLimits Limits(JsonElement given)
    {
        SandboxLimits limits = SandboxValues.Limits(given);
        foreach ((string key, object value, string rule) in SandboxValues.LimitFaults(limits))
            throw new ArgumentException($"limits.{key} is {value}; give {rule}");
        return limits;
    }

    private static void Check(JsonElement with, SandboxResult result)
    {
        string program = with.Texts("command").First();
        switch (result.Ending)
        {
            case SandboxEnding.TimedOut:
                throw new RetryableTaskException($"sandbox.run: {program} took longer than its time limit ('limits.time'){Said(result)}");
            case SandboxEnding.MemoryExceeded:
                throw new RetryableTaskException($"sandbox.run: {program} was killed for using more than its memory limit ('limits.memory'){Said(result)}");
            case SandboxEnding.Killed:
                throw new RetryableTaskException($"sandbox.run: {program} was killed with its lease");
        }

        int[] allowed = [.. with.List("allowed_exit_codes").Select(c => c.GetInt32()).DefaultIfEmpty(0)];
        if (!allowed.Contains(result.ExitCode))
            throw new RetryableTaskException($"sandbox.run: {program} exited with {result.ExitCode}{(result.ExitCode == 127 ? " (127 often means that a program was not found in the sandbox)" : "")}{Said(result)}");
    }

    // The end of what it said is where a command says what was wrong.
    private static string Said(SandboxResult result)
    {
        string said = Encoding.UTF8.GetString(result.StandardError.Span).Trim();
        if (said.Length == 0)
            said = Encoding.UTF8.GetString(result.StandardOutput.Span).Trim();
        string[] lines = said.Split('\n');
        string end = lines.Length > LinesSaid ? string.Join('\n', lines[^LinesSaid..]) : said;
        end = end.Length > 1000 ? end[^1000..] : end;
        return said.Length == 0 ? "" : $": {(end.Length < said.Length ? "… " : "")}{end}";
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : (text.EndsWith('\n') ? text[..^1] : text).Split('\n');

    private static string Inside(string path) => path.StartsWith(Work, StringComparison.Ordinal) ? path[Work.Length..] : path;

    private static object Reference(SandboxFile file) => new
    {
        path = file.Path,
        sha256 = file.Sha256,
        size = file.Bytes.Length,
        text = file.Bytes.Length <= TextLimit && System.Text.Unicode.Utf8.IsValid(file.Bytes.Span) ? Encoding.UTF8.GetString(file.Bytes.Span) : null,
    };
}
