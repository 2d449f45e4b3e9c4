using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Tests.Agents;

/// <summary>What a model can do with <c>file.read</c>, <c>file.write</c> and <c>file.list</c> that obeys an attacker: nothing outside of the agent's folder.</summary>
public sealed class FileToolTests
{
    private static readonly string[] Paths =
    [
        "../secret.txt", "../../etc/passwd", "folder/../../secret.txt", "./../secret.txt", "..", "../", "folder/..", "folder/../..", "....//secret.txt", "..\\secret.txt", "folder\\..\\..\\secret.txt",
        "/etc/passwd", "//etc/passwd", "{outer}/secret.txt", "{outer}/work/../secret.txt", "{outer}/work/plain.txt", "/proc/self/environ", "/proc/self/root{outer}/secret.txt", "/dev/stdin", "file://{outer}/secret.txt", "~/secret.txt", "~root/x", "C:\\Windows\\x", "\\\\host\\share",
        "link", "relative", "dangling", "chain", "loop", "linked", "linked/inner.txt", "linked/../secret.txt", "linked/new.txt", "root", "root{outer}/secret.txt", "root/etc/passwd", "self{outer}/secret.txt", "folder/up/secret.txt", "folder/up/made.txt", "folder/up/work/../secret.txt",
        "pipe", "pipe/x", "plain.txt/x", "plain.txt/../../secret.txt", "plain.txt\0", "../secret.txt\0.md", "plain\n.txt", "\u001b[2J", "", " ", ".", "./", "./.", "\ud800/x", "../workshop/sibling.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "${HOME}/x", "$(cat ../secret.txt)", "`id`",
        new string('a', 256), string.Concat(Enumerable.Repeat("a/", 600)), string.Concat(Enumerable.Repeat("../", 600)) + "etc/passwd", string.Concat(Enumerable.Repeat("./", 2100)) + "../secret.txt",
    ];

    private static readonly string[] Shapes =
    [
        """{}""", """null""", """[]""", "\"../secret.txt\"", """{"path":null}""", """{"path":["link"]}""", """{"path":{"path":"link"}}""", """{"path":7}""", """{"path":"plain.txt","folder":"/"}""",
        """{"path":"plain.txt","base":"../"}""", """{"path":"plain.txt","with":{"folder":".."}}""", """{"path":"plain.txt","max_bytes":999999999}""", """{"path":"plain.txt","hidden":true}""", """{"path":"plain.txt","protected":[]}""",
    ];

    public static TheoryData<string> Hostile() => [.. Paths.Select(p => JsonSerializer.Serialize(new { path = p })), .. Shapes];

    public static TheoryData<string> HostileWrites() => [.. Paths.Select(p => JsonSerializer.Serialize(new { path = p, text = "taken over" })), .. Shapes.Select(s => s.Replace("}", ",\"text\":\"taken over\"}").Replace("{,", "{"))];

    private static ToolKind Kind(string name) => BuiltInTools.All.Single(k => k.Name == name);

    [Theory, MemberData(nameof(Hostile))]
    public Task Read_HostileArguments_ShowNothingOutside(string arguments) => IsHarmlessAsync("file.read", arguments);

    [Theory, MemberData(nameof(Hostile))]
    public Task List_HostileArguments_ShowNothingOutside(string arguments) => IsHarmlessAsync("file.list", arguments);

    [Theory, MemberData(nameof(HostileWrites))]
    public Task Write_HostileArguments_ChangeNothingOutside(string arguments) => IsHarmlessAsync("file.write", arguments);

    [Fact]
    public void Hostile_IsManyForEachTool() => Assert.True(Hostile().Count >= 40 && HostileWrites().Count >= 40);

    [Theory]
    [InlineData(".git/hooks/pre-commit")]
    [InlineData("folder/.git/config")]
    [InlineData(".env")]
    [InlineData("./.bashrc")]
    [InlineData("folder/...")]
    public async Task Write_NameWithADot_IsForFilesThatSaySo(string path)
    {
        await using TrapFolder folder = new();
        JsonElement arguments = JsonSerializer.SerializeToElement(new { path, text = "x" });
        Assert.Contains("begins with a dot", await folder.CallAsync(Kind("file.write"), null, arguments));
        Assert.False(File.Exists(folder.In(path)));
        Assert.DoesNotContain("failed", await folder.CallAsync(Kind("file.write"), new { hidden = true }, arguments));
        Assert.Equal("x", File.ReadAllText(folder.In(path)));
    }

    [Fact]
    public async Task Write_TheAgentsOwnFile_IsRefusedUnderAnyNameAndWhereItIsGone()
    {
        await using TrapFolder folder = new();
        File.WriteAllText(folder.In("agent.yaml"), "kind: agent");
        File.CreateSymbolicLink(folder.Out("other-way"), folder.Work);
        object with = new { @protected = new[] { folder.In("agent.yaml"), Path.Combine(folder.Out("other-way"), "plain.txt"), folder.In("gone.yaml") } };
        foreach (string name in (string[])["agent.yaml", "./agent.yaml", "plain.txt", "gone.yaml"])
            Assert.Contains("is one of the agent's own files", await folder.CallAsync(Kind("file.write"), with, JsonSerializer.SerializeToElement(new { path = name, text = "tools: [sandbox.run]" })));
        Assert.Equal(("kind: agent", "plain", false), (File.ReadAllText(folder.In("agent.yaml")), File.ReadAllText(folder.In("plain.txt")), File.Exists(folder.In("gone.yaml"))));
    }

    [Fact]
    public async Task Write_LimitsOfTheFile_Hold()
    {
        await using TrapFolder folder = new();
        Assert.Contains("writes at most 3 into a file", await WriteAsync(folder, new { max_bytes = 3 }, "a.txt", "four"));
        Assert.Contains("replaces no files", await WriteAsync(folder, new { overwrite = false }, "plain.txt", "new"));
        Assert.DoesNotContain("failed", await WriteAsync(folder, new { overwrite = false, folder = "out/of" }, "plain.txt", "new"));
        Assert.Contains("symbolic link", await WriteAsync(folder, new { folder = "linked" }, "a.txt", "x"));
        Assert.Equal(("plain", "new", false), (File.ReadAllText(folder.In("plain.txt")), File.ReadAllText(folder.In("out/of/plain.txt")), File.Exists(folder.In("a.txt"))));
        folder.AssertHarmless("");
    }

    [Fact]
    public async Task Write_OverAHardLink_LeavesTheOtherNameAlone()
    {
        await using TrapFolder folder = new();
        using (var linked = System.Diagnostics.Process.Start("ln", [folder.Out("secret.txt"), folder.In("hard")]))
            await linked.WaitForExitAsync();
        Assert.DoesNotContain("failed", await WriteAsync(folder, null, "hard", "mine"));
        Assert.Equal(("mine", TrapFolder.Marker), (File.ReadAllText(folder.In("hard")), File.ReadAllText(folder.Out("secret.txt"))));
    }

    [Fact]
    public async Task Write_Replacing_KeepsTheModeWithoutSetUid()
    {
        if (OperatingSystem.IsWindows())
            return;
        await using TrapFolder folder = new();
        File.SetUnixFileMode(folder.In("plain.txt"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.SetUser);
        await WriteAsync(folder, null, "plain.txt", "new");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.In("plain.txt")));
        Assert.DoesNotContain(Directory.GetFiles(folder.Work), f => Path.GetFileName(f).StartsWith(".millstream-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Read_PartOfAFile_IsWhatWasAskedFor()
    {
        await using TrapFolder folder = new();
        File.WriteAllText(folder.In("lines.txt"), "1\n2\n3\n4\n");
        Assert.Equal("""{"path":"lines.txt","text":"2\n3","lines":4,"bytes":8}""", await folder.CallAsync(Kind("file.read"), null, Json("""{"path":"lines.txt","from_line":2,"lines":2}""")));
        Assert.Contains("more than 4 bytes", await folder.CallAsync(Kind("file.read"), new { max_bytes = 4 }, Json("""{"path":"lines.txt"}""")));
        Assert.Contains("from_line is 0", await folder.CallAsync(Kind("file.read"), null, Json("""{"path":"lines.txt","from_line":0}""")));
    }

    [Fact]
    public async Task List_ManyAndDeep_IsBounded()
    {
        await using TrapFolder folder = new();
        for (int i = 0; i < 20; i++)
            File.WriteAllText(folder.In($"folder/deeper/{i}"), "");
        string all = await folder.CallAsync(Kind("file.list"), null, Json("""{"path":"folder","depth":3}"""));
        Assert.Contains("""{"path":"deeper/7","type":"file","bytes":0}""", all);
        Assert.Contains("""{"path":"up","type":"link"}""", all);
        Assert.EndsWith("\"truncated\":false}", all);
        JsonElement few = Json(await folder.CallAsync(Kind("file.list"), new { max_entries = 5 }, Json("""{"path":"folder","depth":3}""")));
        Assert.Equal((5, true), (few.GetProperty("entries").GetArrayLength(), few.GetProperty("truncated").GetBoolean()));
        Assert.Contains("depth is 17; give 1 to 16", await folder.CallAsync(Kind("file.list"), null, Json("""{"depth":17}""")));
    }

    private static Task<string> WriteAsync(TrapFolder folder, object? with, string path, string text) =>
        folder.CallAsync(Kind("file.write"), with, JsonSerializer.SerializeToElement(new { path, text }));

    private static async Task IsHarmlessAsync(string tool, string arguments)
    {
        await using TrapFolder folder = new();
        folder.AssertHarmless(await folder.CallAsync(Kind(tool), null, Json(arguments.Replace("{outer}", folder.Out(".")[..^2]))));
        Assert.False(File.Exists(folder.Out("made-by-link")));
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
