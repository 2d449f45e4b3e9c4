using System.Text.Json;

namespace Millstream;

/// <summary>
/// Holds an agent to what every agent must keep: its types survive JSON, it asks for the same when it is run again, a cancel at any place ends it in time, and after a crash at any place it goes
/// on without repeating a finished task. For any test framework.
/// </summary>
public static class AgentContractTest
{
    private static readonly JobId Id = JobId.Parse("contract");

    /// <summary>Runs an agent once to its end, and again with a cancel and with a crash at each place.</summary>
    /// <param name="make">Makes the agent; called for each run.</param>
    /// <param name="input">Its input, with which it completes.</param>
    /// <param name="options">What it needs around it.</param>
    /// <exception cref="ContractException">It does not keep the contract; the message lists how.</exception>
    public static async Task CheckAsync<TInput, TOutput, TEvent, TSignal>(
        Func<Agent<TInput, TOutput, TEvent, TSignal>> make, TInput input, AgentContractOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(make);
        options ??= new AgentContractOptions();
        string what = $"agent {make().Id}";
        ContractException.ThrowIfAny(what, TypeFaults(make(), input));
        ContractRun<TInput, TOutput, TEvent, TSignal> whole = new(make, input, options, Id);
        ContractException.ThrowIfAny(what, await whole.CompleteAsync());
        List<string> faults = [];
        foreach (int place in Spread(whole.Stream.Count - 1, options.MaxPlaces))
            faults.AddRange(await new ContractRun<TInput, TOutput, TEvent, TSignal>(make, input, options, Id).CancelAsync(place));
        foreach (int place in Spread(whole.Appends, options.MaxPlaces))
        {
            foreach (bool isDone in (bool[])[false, true])
                faults.AddRange(await new ContractRun<TInput, TOutput, TEvent, TSignal>(make, input, options, Id).CrashAsync(place, isDone));
        }
        ContractException.ThrowIfAny(what, faults);
    }

    private static List<string> TypeFaults<TInput>(Agent agent, TInput input)
    {
        AgentContract contract;
        try
        {
            contract = agent.Contract;
        }
        catch (AgentContractException e)
        {
            return [.. e.Faults];
        }
        string json = contract.Input.Write(input).GetRawText(), again = contract.Input.Write(contract.Input.Read(JsonSerializer.Deserialize<JsonElement>(json))).GetRawText();
        return json == again ? [] : [$"the input does not survive JSON: {json} becomes {again}"];
    }

    /// <summary>At most so many of the numbers from 1 on, the first and the last among them.</summary>
    private static IEnumerable<int> Spread(int last, int most) =>
        last <= most ? Enumerable.Range(1, Math.Max(0, last)) : Enumerable.Range(0, most).Select(i => 1 + (int)((long)i * (last - 1) / Math.Max(1, most - 1))).Distinct();
}
