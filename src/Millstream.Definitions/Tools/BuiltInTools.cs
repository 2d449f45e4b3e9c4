using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>The built-in tools of agents that need nothing but this library.</summary>
public static class BuiltInTools
{
    /// <summary><c>http.get</c>, <c>file.read</c>, <c>file.write</c> and <c>file.list</c>. A host adds <c>sandbox.run</c>, since that needs sandboxes.</summary>
    public static IReadOnlyList<ToolKind> All { get; } =
    [
        ToolKind.Of("http.get", "Fetches a web page or file over http or https and gives its text.",
            [new("url!", DataType.String, "The address, http or https.")], HttpTool.RunAsync),
        ToolKind.Of("file.read", "Reads a text file of the work folder.",
            [
                new("path!", DataType.String, "The path, relative to the work folder, as in data/a.csv."),
                new("from_line", DataType.Integer, "The first line wanted, from 1; left out, the whole file is given."),
                new("lines", DataType.Integer, "How many lines are wanted from there on."),
            ], static (given, use, _) => Task.FromResult(FileTools.Read(given, use))),
        ToolKind.Of("file.write", "Writes a text file of the work folder whole. Folders on the way are made.",
            [
                new("path!", DataType.String, "The path, relative to the work folder, as in out/report.md."),
                new("text!", DataType.String, "What the file holds from then on."),
            ], static (given, use, _) => Task.FromResult(FileTools.Write(given, use))),
        ToolKind.Of("file.list", "Lists files and folders of the work folder.",
            [
                new("path", DataType.String, "A folder, relative to the work folder; left out, the work folder itself."),
                new("depth", DataType.Integer, "How many levels of folders, 1 to 16; 1 when left out."),
            ], static (given, use, _) => Task.FromResult(FileTools.List(given, use))),
    ];
}
