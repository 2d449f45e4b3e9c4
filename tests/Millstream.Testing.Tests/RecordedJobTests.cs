using System.Text.Json.Serialization;

namespace Millstream.Testing.Tests;

public sealed class RecordedJobTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"millstream-{Guid.NewGuid():n}.jsonl");
    private readonly MemoryJournalStorage _journal = new();
    private int _done;

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task ReplayAsync_SameCode_PassesAndDoesNothing()
    {
        RecordedJob recorded = await RecordAsync();
        Assert.Equal(3, _done);
        IReadOnlyList<JobId> replayed = await recorded.ReplayAsync(Parent("work"), Child("part"));
        Assert.Equal((2, 3), (replayed.Count, _done));
        Assert.Equal([recorded.Id], await recorded.ReplayAsync(Parent("work")));
    }

    [Fact]
    public async Task Load_WhatWasSaved_ReplaysTheSame()
    {
        await (await RecordAsync(large: true)).SaveAsync(_file);
        RecordedJob loaded = RecordedJob.Load(_file);
        Assert.Equal(("parent", "1"), (loaded.AgentId, loaded.AgentVersion));
        Assert.Equal(2, (await loaded.ReplayAsync(Parent("work"), Child("part"))).Count);
        Assert.Contains("\"blob\":", await File.ReadAllTextAsync(_file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReplayAsync_CodeAsksForSomethingElse_SaysTheFirstWithBothSides()
    {
        RecordedJob recorded = await RecordAsync();
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => recorded.ReplayAsync(Parent("toil"), Child("piece")));
        Assert.Equal(2, e.Faults.Count);
        Assert.Equal($"job {recorded.Id}: at entry 3 the journal has task work (command 1) with input {{}}, the code of agent parent 1 now asks for task toil (command 1) with input {{}}", e.Faults[0]);
        Assert.Contains("has task part (command 1) with input \"two\"", e.Faults[1], StringComparison.Ordinal);
        Assert.EndsWith("asks for task piece (command 1) with input \"two\"", e.Faults[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReplayAsync_OtherEventData_Passes()
    {
        RecordedJob recorded = await RecordAsync();
        await recorded.ReplayAsync(Parent("work", said: "started"), Child("part"));
    }

    [Fact]
    public async Task ReplayAsync_OtherVersion_IsToldUnlessItTakesTheJob()
    {
        RecordedJob recorded = await RecordAsync();
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => recorded.ReplayAsync(new Newer("2", takes: false)));
        Assert.Contains("agent parent 2 does not take jobs of version 1 (Agent.CanRun)", Assert.Single(e.Faults), StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ContractException>(() => recorded.ReplayAsync(new Newer("2", takes: true)));
        Assert.Contains("now asks for", Assert.Single(e.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReplayAsync_InputOfAnotherType_IsTold()
    {
        RecordedJob recorded = await RecordAsync();
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => recorded.ReplayAsync(new OtherInput()));
        Assert.Contains("does not fit the types of agent parent 1 (Order -> String", Assert.Single(e.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ExportWithoutRecords_SaysHowToWriteOne()
    {
        await File.WriteAllTextAsync(_file, """{"millstream":"export","version":1,"job":"j1","agent":"a","agentVersion":"1"}""" + "\n" + """{"seq":1,"kind":"job.started"}""", TestContext.Current.CancellationToken);
        Assert.Contains("millstream export ID --records --output FILE", Assert.Throws<InvalidDataException>(() => RecordedJob.Load(_file)).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_file, """{"millstream":"export","version":9,"job":"j1","agent":"a","agentVersion":"1"}""", TestContext.Current.CancellationToken);
        Assert.StartsWith($"{_file}:1: this is no line", Assert.Throws<InvalidDataException>(() => RecordedJob.Load(_file)).Message, StringComparison.Ordinal);
    }

    private async Task<RecordedJob> RecordAsync(bool large = false)
    {
        await using TestHost host = new(new OrchestratorOptions { Journal = _journal, Agents = new AgentRegistry().Add(Child("part")) });
        Job<string, string, string> job = await host.StartAsync(Parent("work"), large ? new string('x', 100_000) : "in");
        await host.UntilEndAsync(job);
        Assert.Equal("one,two", await job.Completion);
        return await RecordedJob.FromAsync(_journal, job.Id);
    }

    private BodyAgent Parent(string task, string said = "began") => new(async (_, c) =>
    {
        c.Emit(said);
        string one = await c.StepAsync(task, _ => Did("one"));
        one = await c.RunAsync(Task(task), "one");
        await c.DelayAsync(TimeSpan.FromDays(1));
        return $"{one},{await c.RunAsync(Child("part"), "two")}";
    }, "parent");

    private BodyAgent Child(string task) => new((input, c) => c.RunAsync(Task(task), input), "child");

    private AgentTask<string, string> Task(string id) => AgentTask.Create<string, string>(id, (input, _) => Did(input));

    private Task<string> Did(string what)
    {
        Interlocked.Increment(ref _done);
        return System.Threading.Tasks.Task.FromResult(what);
    }

    private sealed class Newer(string version, bool takes) : Agent<string, string, string, string>
    {
        public override string Id => "parent";

        public override string Version => version;

        public override bool CanRun(string recorded) => takes;

        protected override Task<string> RunCoreAsync(string input, AgentContext<string, string> context) => System.Threading.Tasks.Task.FromResult("done");
    }

    private sealed record Order([property: JsonRequired] int Number);

    private sealed class OtherInput : Agent<Order, string, string, string>
    {
        public override string Id => "parent";

        protected override Task<string> RunCoreAsync(Order input, AgentContext<string, string> context) => System.Threading.Tasks.Task.FromResult("done");
    }
}
