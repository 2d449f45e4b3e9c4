using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Millstream.Definitions.Tests;

/// <summary>What workflows that a model writes may take, and where they lead.</summary>
public sealed class RestrictedPlanTests
{
    private static readonly FileWorkflowAgent Agent = new();
    private static readonly FileWorkflowReader Reader = new(Agent);

    private static WorkflowReading Read(string task, string top = "") =>
        Reader.Read($"name: plan\n{top}tasks:\n  a: {task}\n", new WorkflowRules(["http.get", "file.read"], Path.GetTempPath()));

    [Theory]
    [InlineData("{ uses: file.read, with: { path: x }, requires: [llm] }", "", "line 3: the task 'a' has 'requires', which is not allowed here")]
    [InlineData("{ uses: file.read, with: { path: x } }", "resources: { gpu: 1 }\n", "'resources' is not allowed here")]
    [InlineData("{ uses: template, with: { text: x } }", "", "line 3: the task 'a' uses template, which is not allowed here")]
    public void WhatOthersNeed_CannotBeTaken(string task, string top, string fault) => Assert.StartsWith(fault, Assert.Single(Read(task, top).Faults));

    [Fact]
    public async Task ConstantAddress_IsAsked()
    {
        string error = await FailAsync("http://plan.invalid/");
        Assert.DoesNotContain("allow_hosts", error);
        Assert.Contains("http.get: http://plan.invalid/: ", error);
    }

    [Fact]
    public async Task ConstantAddressInside_IsRefused()
    {
        using TcpListener inner = new(IPAddress.Loopback, 0);
        inner.Start();
        Assert.Contains("127.0.0.1 is 127.0.0.1, not a public address", await FailAsync($"http://{inner.LocalEndpoint}/"));
        Assert.False(inner.Pending());
    }

    /// <summary>Runs a plan that asks an address which cannot be got, and gives why.</summary>
    private static async Task<string> FailAsync(string url)
    {
        WorkflowReading reading = Read($"{{ uses: http.get, with: {{ url: \"{url}\" }} }}");
        Assert.Empty(reading.Faults);
        await using AgentOrchestrator orchestrator = new(new OrchestratorOptions { Agents = new AgentRegistry().Add(Agent) });
        Job job = await orchestrator.CreateJobAsync(FileWorkflowAgent.AgentId, reading.Input);
        return Assert.IsType<JobEnding.Failed>(await job.Ending).Error.Message;
    }
}
