using System.Diagnostics;
using System.Text.Json;
using Millstream.Cli.Running;
using Millstream.Cli.Running.Models;
using Millstream.Definitions;

namespace Millstream.Cli.Tests.Agents;

/// <summary>An agent's folder full of traps, beside things that no tool may read, write or make; and calls of tools as a model makes them.</summary>
internal sealed class TrapFolder : IAsyncDisposable
{
    /// <summary>Stands in every file outside.</summary>
    public const string Marker = "marker-of-the-outside";

    private readonly AgentOrchestrator _orchestrator = LocalHost.Start(null, ModelSet.None);
    private readonly TempFolder _outer = new();

    public TrapFolder()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("these tools are for Linux");
        _outer.Write("secret.txt", Marker);
        _outer.Write("outside/inner.txt", Marker);
        _outer.Write($"outside/{Marker}", Marker);
        _outer.Write("workshop/sibling.txt", Marker);
        Directory.CreateDirectory(Work);
        File.WriteAllText(In("plain.txt"), "plain");
        File.WriteAllText(In("binary"), "\u0000");
        Directory.CreateDirectory(In("folder/deeper"));
        File.CreateSymbolicLink(In("link"), Out("secret.txt"));
        File.CreateSymbolicLink(In("relative"), "../secret.txt");
        File.CreateSymbolicLink(In("dangling"), Out("made-by-link"));
        File.CreateSymbolicLink(In("linked"), Out("outside"));
        File.CreateSymbolicLink(In("root"), "/");
        File.CreateSymbolicLink(In("self"), "/proc/self/root");
        File.CreateSymbolicLink(In("loop"), In("loop"));
        File.CreateSymbolicLink(In("folder/up"), "../..");
        File.CreateSymbolicLink(In("chain"), "relative");
        using Process made = Process.Start("mkfifo", In("pipe"));
        made.WaitForExit();
        Before = Look();
    }

    public string Work => Out("work");

    private string[] Before { get; }

    public string Out(string name) => Path.Combine(_outer.Path, name);

    public string In(string name) => Path.Combine(Work, name);

    /// <summary>Calls a tool once; what the model would see.</summary>
    public async Task<string> CallAsync(ToolKind kind, object? with, JsonElement arguments)
    {
        AgentTask<JsonElement, JsonElement> task = kind.Make(new ToolKindUse("tool", JsonSerializer.SerializeToElement(with), Work));
        var job = await _orchestrator.CreateJobAsync(new OneCall(task), arguments);
        try
        {
            return (await job.Completion).GetRawText();
        }
        catch (JobFailedException e)
        {
            return "failed: " + e.Message;
        }
    }

    /// <summary>Nothing outside was changed or made, the traps are as they were, and what the model saw is nothing of it.</summary>
    public void AssertHarmless(string seen)
    {
        Assert.DoesNotContain(Marker, seen);
        Assert.Equal(Before, Look());
    }

    public async ValueTask DisposeAsync()
    {
        await _orchestrator.DisposeAsync();
        _outer.Dispose();
    }

    private string[] Look()
    {
        IEnumerable<FileSystemInfo> outside = new DirectoryInfo(_outer.Path).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, MaxRecursionDepth = 2 })
            .Where(f => !f.FullName.StartsWith(Work, StringComparison.Ordinal) || f.LinkTarget is not null);
        return [.. outside.Select(f => $"{f.FullName} {f.LinkTarget} {(f is FileInfo { LinkTarget: null } ? File.ReadAllText(f.FullName) : "")}").Order(StringComparer.Ordinal)];
    }

    private sealed class OneCall(AgentTask<JsonElement, JsonElement> task) : Agent<JsonElement, JsonElement>
    {
        protected override Task<JsonElement> RunCoreAsync(JsonElement input, AgentContext context) => context.RunAsync(task, input);
    }
}
