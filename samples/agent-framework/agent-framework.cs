#!/usr/bin/env dotnet
#:project ../../src/Millstream.Llm/Millstream.Llm.csproj
#:package Microsoft.Agents.AI@1.28.0
#:property ManagePackageVersionsCentrally=false
// A Millstream agent as an AIAgent of Microsoft Agent Framework: each of its runs is a job. Run it with: dotnet run agent-framework.cs ["what you want"]
using Microsoft.Agents.AI;
using Millstream;

IReadOnlyList<LlmEndpoint> endpoints = await LlmEndpoints.FromEnvironmentAsync();
if (endpoints.Count == 0)
{
    Console.Error.WriteLine(LlmEndpoints.NoneMessage);
    return 2;
}

LlmAgent<LlmConversation, string> counter = new(new LlmAgentOptions
{
    Id = "counter",
    Instructions = "You count things. Always use your tool.",
    Tools = [LlmTool.Of((string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, "words", "Counts the words of a text.")],
}, static conversation => conversation.Messages);

await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { PoolResources = [.. endpoints.Select(e => new LlmResource(e))] });
AIAgent agent = new ChatClientAgent(new AgentChatClient(orchestrator, counter), name: "counter");
await foreach (AgentResponseUpdate update in agent.RunStreamingAsync(args.FirstOrDefault() ?? "How many words has: to be or not to be"))
    Console.Write(update.Text);
Console.WriteLine();
return 0;
