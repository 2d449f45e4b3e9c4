namespace Millstream.Testing.Tests;

public sealed class ResourceContractTests
{
    private int _open;

    [Fact]
    public async Task CheckAsync_PlainResource_KeepsIt()
    {
        await ResourceContractTest.CheckAsync(() => new PlainResource("key-1", "key"));
        await ResourceContractTest.CheckAsync(() => new PlainResource("places", "place", capacity: 3, rates: [new RateLimit("calls", 5, TimeSpan.FromMinutes(1))]));
    }

    [Fact]
    public async Task CheckAsync_LlmResource_KeepsIt() => await ResourceContractTest.CheckAsync(
        () => TestHost.ModelResource(new ScriptedModel().Always(_ => new ScriptedTurn().Say("yes"))),
        new ResourceContractOptions { Use = async task => Assert.Equal("yes", (await task.Lease.Get<LlmResource>().CallAsync([new(Microsoft.Extensions.AI.ChatRole.User, "?")], null, task)).Text) });

    [Fact]
    public async Task CheckAsync_SandboxResource_KeepsIt()
    {
        if (!(await SandboxHost.ExamineAsync()).CanIsolate)
            Assert.Skip("this host cannot run sandboxes");
        await ResourceContractTest.CheckAsync(() => new SandboxResource("sandbox-1"), new ResourceContractOptions
        {
            Use = async task => Assert.Equal(0, (await task.Lease.Get<Sandbox>().RunAsync(new SandboxCommand { Arguments = ["true"] }, token: task.CancellationToken)).ExitCode),
        });
    }

    [Fact]
    public async Task CheckAsync_SessionsThatAreClosed_KeepIt() => await CheckAsync(Fault.None);

    [Theory]
    [InlineData(Fault.Leaks, "two tasks, one after the other: 1 of what its session opened is still there after it was closed")]
    [InlineData(Fault.LeaksOnCancel, "a lease that ends while its session is opened: 1 of what its session opened")]
    [InlineData(Fault.Shares, "two tasks, one after the other: both leases got the same Session")]
    [InlineData(Fault.ThrowsWhenClosed, "a task that fails: it is offline after all leases have ended: it could not be cleaned up")]
    [InlineData(Fault.ThrowsTheSecondTime, "a session that is closed twice: closing threw InvalidOperationException: closed already")]
    internal async Task CheckAsync_FaultyResource_IsTold(Fault fault, string told)
    {
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => CheckAsync(fault));
        Assert.Equal("resource line line-1", e.What);
        Assert.Contains(e.Faults, f => f.StartsWith(told, StringComparison.Ordinal));
    }

    [Fact]
    public async Task CheckAsync_NeverOpens_IsTold()
    {
        ContractException e = await Assert.ThrowsAsync<ContractException>(() => CheckAsync(Fault.NeverOpens, TimeSpan.FromMilliseconds(50)));
        Assert.Contains(e.Faults, f => f.Contains("does not begin", StringComparison.Ordinal));
    }

    private Task CheckAsync(Fault fault, TimeSpan? patience = null) => ResourceContractTest.CheckAsync(() => new Line(this, fault), new ResourceContractOptions { CountOpen = () => _open, Patience = patience ?? TimeSpan.FromSeconds(10), Use = task => task.Lease.Get<Session>().SayAsync() });

    internal enum Fault
    {
        None, Leaks, LeaksOnCancel, Shares, ThrowsWhenClosed, ThrowsTheSecondTime, NeverOpens,
    }

    private sealed class Line(ResourceContractTests test, Fault fault) : Resource("line-1", "line")
    {
        private Session? _shared;

        protected override async ValueTask<IAsyncDisposable?> OpenAsync(LeaseEpoch epoch, CancellationToken token)
        {
            if (fault == Fault.NeverOpens && !token.IsCancellationRequested && epoch.Counter > 0)
                await Task.Delay(Timeout.InfiniteTimeSpan, token);
            if (fault == Fault.Shares)
                return _shared ??= new Session(test, Fault.Shares);
            Session session = new(test, fault);
            if (!token.IsCancellationRequested)
                return session;
            if (fault != Fault.LeaksOnCancel)
                await session.DisposeAsync();
            token.ThrowIfCancellationRequested();
            return session;
        }
    }

    private sealed class Session : IAsyncDisposable
    {
        private readonly ResourceContractTests _test;
        private readonly Fault _fault;
        private bool _isClosed;

        public Session(ResourceContractTests test, Fault fault)
        {
            (_test, _fault) = (test, fault);
            _test._open++;
        }

        public Task SayAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync()
        {
            bool wasClosed = _isClosed;
            _isClosed = true;
            if (!wasClosed && _fault != Fault.Leaks)
                _test._open--;
            return _fault == Fault.ThrowsWhenClosed || (_fault == Fault.ThrowsTheSecondTime && wasClosed) ? throw new InvalidOperationException("closed already") : default;
        }
    }
}
