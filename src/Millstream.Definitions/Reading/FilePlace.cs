using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>Where a file stands among those that are read together.</summary>
/// <param name="Path">The file as it was named.</param>
/// <param name="Texts">The texts of all of them.</param>
/// <param name="Limits">Bounds.</param>
/// <param name="Parents">The full paths of the files that led to it, the outermost first.</param>
/// <param name="HasAgents">Whether there are agents in code that tasks may name.</param>
internal sealed record FilePlace(string Path, WorkflowTexts Texts, WorkflowLimits Limits, IReadOnlyList<string> Parents, bool HasAgents)
{
    /// <summary>A few small files that name each other many times would be read for ever.</summary>
    public const int MostNested = 1000;

    /// <summary>The path of a file that this one names.</summary>
    public string Beside(string file) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path) ?? "", file);

    /// <summary>The value of a key that names another file; null where there is none, which is told elsewhere, or where it is no constant.</summary>
    public static ValueNode? FileOf(FaultList faults, MapValue with, string name, string other, out string file)
    {
        (_, _, ValueNode? node) = with.Entries.FirstOrDefault(e => e.Key == "file");
        file = "";
        if (node is null)
            return null;
        if (node is ConstantValue { Value: { ValueKind: JsonValueKind.String } text })
        {
            file = text.GetString()!;
            return node;
        }
        faults.Add(node.Mark, $"{name}.with.file must be a constant text, so that the other {other} can be checked before anything runs");
        return null;
    }

    /// <summary>Reads a file that this one names, and tells its faults; null after any.</summary>
    /// <param name="faults">Gets the faults.</param>
    /// <param name="file">The file, relative to this one.</param>
    /// <param name="mark">Where it is named.</param>
    /// <param name="name">What names it.</param>
    /// <param name="kind">What is wanted.</param>
    /// <param name="parse">Reads its text.</param>
    /// <param name="key">Where in it the name stands.</param>
    public T? Read<T>(FaultList faults, string file, Mark mark, string name, FileKind kind, Func<string, FilePlace, T> parse, string key = ".with.file") where T : class
    {
        string path = Beside(file), full = Texts.FullPath(path);
        List<string> parents = [.. Parents, Texts.FullPath(Path.Length == 0 ? "." : Path)];
        string? fault = parents.Contains(full) ? $"the {kind.Name} '{path}' would {(kind == FileKind.Workflow ? "run" : "call")} itself"
            : parents.Count >= Limits.Nesting ? $"{kind.Name}s are nested deeper than {Limits.Nesting} levels; the limit is WorkflowLimits.Nesting"
            : Texts.CountNested() > MostNested ? $"with this one, more than {MostNested} files are named over all files that are read together"
            : null;
        if (fault is not null)
        {
            faults.Add(mark, $"{name}{key}: {fault}");
            return null;
        }
        try
        {
            return parse(Texts.Load(path, Limits), this with { Path = path, Parents = parents });
        }
        catch (WorkflowFileException e)
        {
            if (e.Faults is [{ Line: 0 } missing])
                faults.Add(mark, $"{name}{key}: {missing.Message}");
            else
                faults.AddAll(e.Faults);
            return null;
        }
    }
}
