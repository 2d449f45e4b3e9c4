namespace Millstream.Cli.Running.Agents;

/// <summary>The calls that wait for the user at the terminal, oldest first.</summary>
internal sealed class AgentApprovals
{
    private readonly Lock _gate = new();
    private readonly List<(string CallId, string What)> _waiting = [];

    /// <summary>The one that is asked about now.</summary>
    public (string CallId, string What)? First
    {
        get
        {
            lock (_gate)
                return _waiting.Count > 0 ? _waiting[0] : null;
        }
    }

    public void Ask(string callId, string what)
    {
        lock (_gate)
            _waiting.Add((callId, what));
    }

    /// <summary>It was decided, here or elsewhere, or waits no more.</summary>
    public void Forget(string callId)
    {
        lock (_gate)
            _waiting.RemoveAll(w => w.CallId == callId);
    }
}
