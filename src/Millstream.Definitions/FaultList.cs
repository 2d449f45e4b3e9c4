namespace Millstream.Definitions;

/// <summary>Gathers the faults of one file, so that all are told at once.</summary>
internal sealed class FaultList(string file)
{
    private readonly HashSet<WorkflowFault> _faults = [];

    public int Count => _faults.Count;

    public void Add(Mark mark, string message) => _faults.Add(new WorkflowFault(file, mark.Line, mark.Column, message));

    public void AddAll(IEnumerable<WorkflowFault> faults) => _faults.UnionWith(faults);

    /// <summary>Throws when there is any fault.</summary>
    public void ThrowIfAny()
    {
        if (_faults.Count > 0)
            throw new WorkflowFileException([.. _faults.OrderBy(f => f.File != file).ThenBy(f => f.File, StringComparer.Ordinal).ThenBy(f => f.Line).ThenBy(f => f.Column)]);
    }
}
