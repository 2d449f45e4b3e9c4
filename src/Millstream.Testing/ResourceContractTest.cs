namespace Millstream;

/// <summary>
/// Holds a resource to what every resource must keep: each lease has a session of its own, which is closed however the lease ends and leaves nothing; closing twice does no harm; and it is given to
/// nobody while it cools down or is throttled. For any test framework.
/// </summary>
public static class ResourceContractTest
{
    /// <summary>Leases a resource in all the ways in which a lease can end.</summary>
    /// <param name="make">Makes the resource; called for each of the ways.</param>
    /// <param name="options">What is to be known of it.</param>
    /// <exception cref="ContractException">It does not keep the contract; the message lists how.</exception>
    public static async Task CheckAsync(Func<Resource> make, ResourceContractOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(make);
        options ??= new ResourceContractOptions();
        List<string> faults = [];
        string what = "";
        foreach ((string name, Func<ResourceRun, Task> way) in Ways)
        {
            Resource resource = make();
            what = $"resource {resource.Type} {resource.Id}";
            await using ResourceRun run = new(resource, options);
            try
            {
                await way(run);
            }
            catch (Exception e) when (e is ContractException or JobFailedException)
            {
                run.Faults.AddRange(e is ContractException contract ? contract.Faults : [e.Message]);
            }
            await run.EndAsync();
            faults.AddRange(run.Faults.Distinct().Select(f => $"{name}: {f}"));
        }
        ContractException.ThrowIfAny(what, faults);
    }

    private static (string Name, Func<ResourceRun, Task> Way)[] Ways =>
    [
        ("two tasks, one after the other", OneAfterAnotherAsync),
        ("a task that fails", run => run.FailsAsync(run.Task(_ => throw new TerminalTaskException("the contract test fails here")))),
        ("a task over its timeout", TimesOutAsync),
        ("a job that is cancelled while its task is at work", CancelledAsync),
        ("a lease that is lost", LostAsync),
        ("a lease that ends while its session is opened", EndsWhileOpeningAsync),
        ("a session that is closed twice", ClosedTwiceAsync),
        ("a task that comes while it cools down", CoolsDownAsync),
        ("a task that comes while it is throttled", ThrottledAsync),
    ];

    private static async Task OneAfterAnotherAsync(ResourceRun run)
    {
        for (int i = 0; i < 2; i++)
            await run.CompletesAsync(run.Task());
        object first = run.Given[0], second = run.Given[1];
        if (first == second && first != run.Resource)
            run.Faults.Add($"both leases got the same {first.GetType().Name}; {nameof(Resource.OpenAsync)} must make a new one for each lease");
    }

    private static async Task TimesOutAsync(ResourceRun run)
    {
        Job job = await run.StartAsync(run.Holding(new TaskPolicy { Timeout = TimeSpan.FromMinutes(1) }));
        await run.InUseAsync();
        run.Host.Time.Advance(TimeSpan.FromMinutes(1));
        await run.Host.UntilEndAsync(job);
    }

    private static async Task CancelledAsync(ResourceRun run)
    {
        Job job = await run.StartAsync(run.Holding());
        await run.InUseAsync();
        await job.CancelAsync();
        await run.Host.UntilEndAsync(job);
    }

    private static async Task LostAsync(ResourceRun run)
    {
        Job job = await run.StartAsync(run.Holding());
        await run.InUseAsync();
        run.Host.Orchestrator.SetOffline(run.Resource.Id, "the contract test takes it away");
        await run.Host.UntilQuietAsync();
        run.CheckOpen();
        run.Host.Orchestrator.SetOnline(run.Resource.Id);
        await run.InUseAsync();
        await job.CancelAsync();
        await run.Host.UntilEndAsync(job);
    }

    private static async Task EndsWhileOpeningAsync(ResourceRun run)
    {
        try
        {
            if (await run.Resource.OpenAsync(new LeaseEpoch(1, 1), new CancellationToken(canceled: true)) is { } session)
                await session.DisposeAsync();
        }
        catch (OperationCanceledException)
        {
            // As well.
        }
        catch (Exception e)
        {
            run.Faults.Add($"{nameof(Resource.OpenAsync)} threw {e.GetType().Name} for a token that had fired: {e.Message}");
        }
    }

    private static async Task ClosedTwiceAsync(ResourceRun run)
    {
        try
        {
            if (await run.Resource.OpenAsync(new LeaseEpoch(1, 2), CancellationToken.None).AsTask().WaitAsync(run.Host.Patience) is not { } session)
                return;
            await session.DisposeAsync();
            run.CheckOpen();
            await session.DisposeAsync();
        }
        catch (TimeoutException)
        {
            run.Faults.Add($"{nameof(Resource.OpenAsync)} does not end");
        }
        catch (Exception e)
        {
            run.Faults.Add($"closing threw {e.GetType().Name}: {e.Message}");
        }
    }

    private static async Task CoolsDownAsync(ResourceRun run)
    {
        DateTimeOffset until = run.Host.Time.Now + TimeSpan.FromHours(1);
        run.Resource.CoolDown(until, "the contract test cools it down");
        await run.CompletesAsync(run.Task());
        if (run.Began[0] < until)
            run.Faults.Add($"it was given at {run.Began[0]:O}, and cooled down until {until:O}");
    }

    private static async Task ThrottledAsync(ResourceRun run)
    {
        run.Resource.Throttle(0);
        Job job = await run.StartAsync(run.Task());
        await run.Host.UntilQuietAsync();
        if (run.Given.Count > 0)
            run.Faults.Add("it was given while it was throttled to 0");
        run.Resource.Throttle(null);
        await run.Host.UntilEndAsync(job);
        if (run.Given.Count != 1)
            run.Faults.Add("it was not given when it was not throttled any more");
    }
}
