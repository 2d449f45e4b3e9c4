using System.Text;
using System.Text.Json;

namespace Millstream.Definitions;

/// <summary><c>file.read</c>, <c>file.write</c> and <c>file.list</c> for a model: inside the agent's folder, whatever path it gives.</summary>
internal static class FileTools
{
    private const int DefaultEntries = 1000, MostLevels = 16;
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    public static JsonElement Read(JsonElement given, ToolKindUse use)
    {
        string path = given.Text("path")!;
        string[] names = Names("file.read", path);
        if (names.Length == 0)
            throw new KindFailureException($"file.read: '{path}' is the folder itself; file.list tells what is in it");
        long bound = use.With.Size("max_bytes", FileKinds.DefaultBytes);
        byte[] bytes = Inside("file.read", path, use, false, folder => folder.Read(names, bound)) ?? throw new KindFailureException($"file.read: '{path}' has more than {bound} bytes, which is the most that this agent may read");
        string text;
        try
        {
            text = Utf8.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new KindFailureException($"file.read: '{path}' is not UTF-8 text");
        }
        int from = Whole("file.read", given, "from_line", 1, 1, int.MaxValue), count = Whole("file.read", given, "lines", int.MaxValue, 1, int.MaxValue);
        if (from == 1 && count == int.MaxValue)
            return JsonSerializer.SerializeToElement(new { path, text, bytes = bytes.Length });
        string[] lines = FileKinds.Lines(text);
        return JsonSerializer.SerializeToElement(new { path, text = string.Join('\n', lines.Skip(from - 1).Take(count)), lines = lines.Length, bytes = bytes.Length });
    }

    public static JsonElement Write(JsonElement given, ToolKindUse use)
    {
        string path = given.Text("path")!, text = given.Text("text")!;
        string[] names = Names("file.write", path);
        if (names.Length == 0)
            throw new KindFailureException($"file.write: '{path}' is the folder itself; give the path of a file in it");
        // Other programs obey what stands in .git, .bashrc or .github.
        if (names.FirstOrDefault(n => n[0] == '.') is { } hidden && use.With.Find("hidden")?.GetBoolean() != true)
            throw new KindFailureException($"file.write: '{path}' has the name '{hidden}', and this agent writes none that begins with a dot");
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        long bound = use.With.Size("max_bytes", FileKinds.DefaultBytes);
        if (bytes.Length > bound)
            throw new KindFailureException($"file.write: the text has {bytes.Length} bytes; this agent writes at most {bound} into a file");
        Inside("file.write", path, use, true, folder =>
        {
            folder.Write(names, bytes, use.With.Find("overwrite")?.GetBoolean() != false, [.. use.With.Texts("protected")]);
            return true;
        });
        return JsonSerializer.SerializeToElement(new { path, bytes = bytes.Length });
    }

    public static JsonElement List(JsonElement given, ToolKindUse use)
    {
        string path = given.Text("path") ?? ".";
        string[] names = Names("file.list", path);
        int levels = Whole("file.list", given, "depth", 1, 1, MostLevels), most = use.With.Whole("max_entries", DefaultEntries);
        (IReadOnlyList<InnerEntry> entries, bool truncated) = Inside("file.list", path, use, false, folder => (folder.List(names, levels, most, out bool isTruncated), isTruncated));
        return JsonSerializer.SerializeToElement(new
        {
            path,
            entries = entries.Select(e => e.Type == "file" ? (object)new { path = e.Path, type = e.Type, bytes = e.Bytes } : new { path = e.Path, type = e.Type }),
            truncated,
        });
    }

    private static string[] Names(string tool, string path) =>
        InnerPath.Fault(path) is { } fault ? throw new KindFailureException($"{tool}: '{OneLine(path)}' {fault}") : InnerPath.Names(path);

    private static int Whole(string tool, JsonElement given, string name, int fallback, int least, int most)
    {
        if (given.Find(name) is not { } value)
            return fallback;
        return value.TryGetInt32(out int number) && number >= least && number <= most ? number
            : throw new KindFailureException($"{tool}: {name} is {value}; give {(most == int.MaxValue ? $"{least} or more" : $"{least} to {most}")}");
    }

    private static T Inside<T>(string tool, string path, ToolKindUse use, bool makes, Func<InnerFolder, T> work)
    {
        if (!OperatingSystem.IsLinux())
            throw new KindFailureException($"{tool}: this system has no way to open files inside a folder safely; it needs Linux 5.6 or newer");
        if (!Path.IsPathFullyQualified(use.Folder))
            throw new KindFailureException($"{tool}: the agent's folder '{use.Folder}' is not absolute");
        try
        {
            // A folder that the file names is made for what is written, as those on the way are.
            string inner = use.With.Text("folder") ?? ".";
            if (InnerPath.Fault(inner) is { } fault)
                throw new KindFailureException($"{tool}: the agent's file gives the folder '{inner}', which {fault}");
            using InnerFolder folder = InnerFolder.Open(use.Folder, InnerPath.Names(inner), makes);
            return work(folder);
        }
        catch (NotInsideException e)
        {
            throw new KindFailureException($"{tool}: '{path}' {e.Message}");
        }
        catch (NativeException e)
        {
            throw new KindFailureException($"{tool}: {Reason(path, e)}");
        }
    }

    private static string Reason(string path, NativeException e) => e.Errno switch
    {
        Libc.ENOENT => $"there is no '{path}'",
        Libc.ENOTDIR => $"'{path}' has a file where a folder is needed",
        Libc.EISDIR => $"'{path}' is a folder",
        Libc.EEXIST => $"'{path}' is there already, and this agent replaces no files",
        Libc.ELOOP => $"'{path}' is a symbolic link or has one on the way, which is not followed",
        Libc.EXDEV => $"'{path}' leads out of the folder or into another file system",
        Libc.EACCES or Libc.EPERM => $"no permission for '{path}'",
        _ => $"'{path}': {e.Message}",
    };

    private static string OneLine(string text) => string.Concat((text.Length > 200 ? text[..200] + "…" : text).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c));
}
