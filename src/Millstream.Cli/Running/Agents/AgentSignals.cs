using System.Globalization;
using System.Text.Json;
using Millstream.Cli.Jobs;
using Millstream.Definitions;

namespace Millstream.Cli.Running.Agents;

/// <summary>How signals to agents are written.</summary>
internal static class AgentSignals
{
    /// <summary>What to type elsewhere to allow a call. The id is the model's, and whatever it is, a shell takes the line as one signal.</summary>
    public static string ApproveCommand(JobId job, string callId, IJournalStorage journal)
    {
        // This writer escapes quotes and whatever is no plain letter, also what moves a terminal's cursor.
        string signal = JsonSerializer.Serialize(new { type = "approve", callId });
        return $"""millstream signal {job} '{signal.Replace("'", @"'\''", StringComparison.Ordinal)}'{JournalPlace.Argument(journal)}   (or "deny" with a "reason")""";
    }

    /// <summary>Sends an agent a signal, also one that another job called.</summary>
    public static async Task<SignalResult> SendAsync(AgentOrchestrator orchestrator, JobId to, LlmSignal signal) =>
        await orchestrator.GetJobAsync(to) is { } job ? await job.SignalAsync(JsonSerializer.SerializeToElement(signal, Json.Options)) : SignalResult.JobEnded;
}

/// <summary>Limits as a user types them, as <c>turns=80 cost=2.5</c>.</summary>
internal static class AgentLimitWords
{
    public static bool Read(IReadOnlyList<string> words, out LlmLimits limits, out string fault)
    {
        (limits, fault) = (new LlmLimits(), words.Count == 0 ? "give limits, as /limit turns=80 cost=2.5" : "");
        foreach (string word in words)
        {
            string[] parts = word.Split('=', 2);
            decimal value = 0;
            // What no limit takes is told, and must not end the run of whoever mistyped it.
            if (parts.Length != 2 || !decimal.TryParse(parts[1], NumberStyles.Number, CultureInfo.InvariantCulture, out value) || value < 0 || value > int.MaxValue)
                fault = $"'{word}' is no limit; write name=number, with a number from 0 to 2147483647";
            else if (parts[0] == "turns")
                limits = limits with { Turns = (int)value };
            else if (parts[0] == "tokens")
                limits = limits with { Tokens = (long)value };
            else if (parts[0] == "cost")
                limits = limits with { Cost = value };
            else if (parts[0] is "toolCalls" or "tool_calls")
                limits = limits with { ToolCalls = (int)value };
            else if (parts[0] == "time")
                limits = limits with { Time = TimeSpan.FromSeconds((double)value) };
            else
                fault = $"there is no limit '{parts[0]}'; there are turns, tokens, cost, toolCalls and time (in seconds)";
        }
        return fault.Length == 0;
    }
}
