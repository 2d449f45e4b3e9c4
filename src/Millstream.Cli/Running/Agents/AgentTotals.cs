using System.Globalization;

namespace Millstream.Cli.Running.Agents;

/// <summary>What a job of an agent used, with the agents that it called.</summary>
internal sealed class AgentTotals
{
    private int _turns, _calls;
    private long _input, _output;
    private decimal _cost;
    private bool _isCostKnown = true, _isReplayed;
    private string? _models;
    private readonly Dictionary<JobId, string> _agents = [];
    private readonly Dictionary<(string Agent, string Model), (int Turns, long Input, long Output, decimal? Cost)> _parts = [];

    public DateTimeOffset? Started { get; private set; }

    public DateTimeOffset? Last { get; private set; }

    public void Add(JobEvent e, LlmEvent? said)
    {
        Started ??= e.Time;
        Last = e.Time;
        if (e is { Kind: JobEventKinds.ChildStarted, Child: { } child })
            _agents[child] = (e.Task ?? child.Value).Split('[')[0];
        switch (said)
        {
            case LlmEvent.ToolCallRequested:
                _calls++;
                break;
            case LlmEvent.TurnCompleted turn:
                _turns++;
                (string, string) key = (e.Job.IsChild ? _agents.GetValueOrDefault(e.Job, e.Job.Value) : "", turn.Model);
                (int Turns, long Input, long Output, decimal? Cost) part = _parts.GetValueOrDefault(key, (0, 0, 0, 0));
                _parts[key] = (part.Turns + 1, part.Input + (turn.Usage.InputTokenCount ?? 0), part.Output + (turn.Usage.OutputTokenCount ?? 0), part.Cost + turn.Cost);
                _input += turn.Usage.InputTokenCount ?? 0;
                _output += turn.Usage.OutputTokenCount ?? 0;
                _cost += turn.Cost ?? 0;
                _isCostKnown &= turn.Cost is not null;
                _isReplayed |= turn.Replayed;
                _models = _models is null ? turn.Model : _models.Split(", ").Contains(turn.Model) ? _models : $"{_models}, {turn.Model}";
                break;
        }
    }

    /// <summary>In one line, as <c>3 turns of gpt, 2 tool calls, 1,234 tokens in and 56 out, $0.0012, 8.1 s</c>.</summary>
    public string Say(TimeSpan elapsed)
    {
        string took = OutputText.Elapsed(Last - Started is { } known && known > TimeSpan.Zero ? known : elapsed);
        string cost = _turns == 0 ? "" : _isCostKnown ? string.Create(CultureInfo.InvariantCulture, $", ${_cost:0.######}") : _cost > 0 ? string.Create(CultureInfo.InvariantCulture, $", more than ${_cost:0.######}") : ", cost unknown";
        return string.Create(CultureInfo.InvariantCulture, $"{Counted(_turns, "turn")}{(_models is null ? "" : $" of {OutputText.Clean(_models)}")}, {Counted(_calls, "tool call")}, {_input:N0} tokens in and {_output:N0} out{cost}, {took}")
            + (_isReplayed ? "; replayed from a cassette, no model was asked" : "");
    }

    /// <summary>The same for each agent and model, where there are several.</summary>
    public IEnumerable<string> Parts() => _parts.Count < 2 ? [] : _parts.Select(p => string.Create(CultureInfo.InvariantCulture,
        $"  {(p.Key.Agent.Length == 0 ? "itself" : OutputText.Clean(p.Key.Agent))}, {OutputText.Clean(p.Key.Model)}: {Counted(p.Value.Turns, "turn")}, {p.Value.Input:N0} tokens in and {p.Value.Output:N0} out{(p.Value.Cost is { } cost ? $", ${cost:0.######}" : ", cost unknown")}"));

    private static string Counted(int count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == 1 ? "" : "s")}");
}
