#!/usr/bin/env dotnet
#:project ../../src/Millstream.Llm/Millstream.Llm.csproj
// An LLM agent in C#: tools that are functions, one of which somebody must allow. Run it with: dotnet run shop.cs ["what you want"]
using System.Text;
using Millstream;

IReadOnlyList<LlmEndpoint> endpoints = await LlmEndpoints.FromEnvironmentAsync();
if (endpoints.Count == 0)
{
    Console.Error.WriteLine(LlmEndpoints.NoneMessage);
    return 2;
}

Dictionary<string, int> stock = new() { ["paper"] = 7, ["ink"] = 0 };
LlmAgent agent = new(new LlmAgentOptions
{
    Id = "shopkeeper",
    Instructions = "You keep a small shop. Look at the stock before you promise anything.",
    Tools =
    [
        LlmTool.Of((string article) => stock.GetValueOrDefault(article), "stock", "How many of an article there are."),
        LlmTool.Of((string article, int count) => $"{count} of {article} are ordered", "order", "Orders more of an article.", new LlmToolOptions { Approval = ToolApproval.Always }),
    ],
    Limits = new LlmLimits { Turns = 10, Time = TimeSpan.FromMinutes(5) },
});

await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { PoolResources = [.. endpoints.Select(e => new LlmResource(e))] });
await using Job<string, LlmEvent, LlmSignal> job = await orchestrator.CreateJobAsync(agent, args.FirstOrDefault() ?? "Is there ink? Order some if not.");

await foreach (JobEvent e in job.EventsAsync())
{
    if (e is { Kind: JobEventKinds.TaskDelta, Stream: "text" })
        Console.Write(Encoding.UTF8.GetString(e.Bytes.Span));                // as the model says it
    else if (e.Value is LlmEvent.ToolCallCompleted done)
        Console.WriteLine($"\n[{done.Name} gave {done.Result.Result}]");
    else if (e.Value is LlmEvent.ApprovalRequested asked)
    {
        Console.Write($"\n{asked.Why}. Allow it? [y/N] ");
        bool isAllowed = Console.ReadLine()?.StartsWith('y') == true;
        await job.SignalAsync(isAllowed ? new LlmSignal.ApproveToolCall(asked.Request.RequestId) : new LlmSignal.DenyToolCall(asked.Request.RequestId, "not now"));
    }
}

await job.Completion;                                                        // throws where the job failed; its text was shown as it came
Console.WriteLine();
return 0;
