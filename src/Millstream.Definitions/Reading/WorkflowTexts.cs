namespace Millstream.Definitions;

/// <summary>The texts that a workflow or an agent is made of, by absolute path: read from disk once, or what a job's input holds of them.</summary>
internal sealed class WorkflowTexts
{
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly bool _isClosed;
    private readonly WorkflowTexts? _outer;
    private string? _folder;
    private int _nested;

    /// <summary>Of files on disk, relative to the current folder.</summary>
    public WorkflowTexts()
    {
    }

    /// <summary>The part of another's texts that one of its files needs.</summary>
    public WorkflowTexts(WorkflowTexts outer) => (_outer, _folder) = (outer, outer.Folder);

    /// <summary>Only these texts; the disk is not looked at.</summary>
    public WorkflowTexts(string folder, IReadOnlyDictionary<string, string> texts)
    {
        _isClosed = true;
        _folder = folder;
        foreach ((string path, string text) in texts)
            _texts[path] = text;
    }

    /// <summary>The absolute folder that relative paths mean.</summary>
    public string Folder => _folder ??= Directory.GetCurrentDirectory();

    /// <summary>All texts so far.</summary>
    public IReadOnlyDictionary<string, string> All => _texts;

    /// <summary>Counts a file that another one names; how many there are by now, over all of the files that are read together.</summary>
    public int CountNested() => _outer?.CountNested() ?? ++_nested;

    public string FullPath(string path) => Path.IsPathFullyQualified(path) ? Path.GetFullPath(path) : Path.GetFullPath(path, Folder);

    /// <summary>The text of a file that was read, or null.</summary>
    public string? Find(string path) => _texts.GetValueOrDefault(FullPath(path));

    /// <summary>The text of a file.</summary>
    /// <exception cref="WorkflowFileException">It cannot be read.</exception>
    public string Load(string path, WorkflowLimits limits)
    {
        // A file that is named twice is read once, so that both see one text.
        if (_texts.Count > 0 && Find(path) is { } known)
            return known;
        if (_isClosed)
            throw new WorkflowFileException([new WorkflowFault(path, 0, 0, $"'{path}' is not among the texts that the job was started with")]);
        string text = _outer?.Load(path, limits) ?? WorkflowFile.Load(path, limits);
        _texts[FullPath(path)] = text;
        return text;
    }
}
