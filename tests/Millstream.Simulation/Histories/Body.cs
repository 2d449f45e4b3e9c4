namespace Millstream.Simulation;

/// <summary>One body at work: makes the steps of its plan and tells what came back.</summary>
internal sealed class Body(History history, AgentContext<int, int> context)
{
    private const int MaxSpin = 1000;

    private readonly BodyRecord _record = history.Body(context);
    private readonly SynchronizationContext? _turn = SynchronizationContext.Current;

    public async Task RunAsync(PlanNode node)
    {
        switch (node.Step)
        {
            case Step.Sequence:
                foreach (PlanNode part in node.Parts)
                    await RunAsync(part);
                break;
            case Step.Run:
                await RunTaskAsync(node.Task);
                break;
            case Step.RunAll:
                foreach (int result in await context.RunAllAsync(history.Tasks[node.Task], [.. Enumerable.Range(0, node.Count).Select(_ => history.Input(context))]))
                    _record.Results.Add(result);
                break;
            case Step.Branches:
                await Task.WhenAll(node.Parts.Select(RunAsync));
                break;
            case Step.Semaphore:
                await RunBoundedAsync(node);
                break;
            case Step.Race:
                await RaceAsync(node);
                break;
            case Step.SignalLoop:
                await ReadBesideAsync(node);
                break;
            case Step.NextSignal:
                _record.Received.Add(await context.Signals.NextAsync());
                break;
            case Step.Ask:
                await AskAsync(default);
                break;
            case Step.AskWithLimit:
                await AskWithLimitAsync(node);
                break;
            case Step.Child:
                await RunChildAsync(node);
                break;
            case Step.Emit:
                _record.Emitted++;
                context.Emit(history.Event(context, _record));
                break;
            case Step.Delay:
                await context.DelayAsync(TimeSpan.FromMilliseconds(history.Delay(context, node.Count)));
                break;
            case Step.Catch:
                await CatchAsync(() => RunAsync(node.Parts[0]));
                break;
            case Step.StopByToken:
                await StopAsync(node);
                break;
            case Step.CleanUp:
                await CleanUpAsync(node);
                break;
            case Step.CancelAfter:
                using (CancellationTokenSource limit = context.CancelAfter(TimeSpan.FromMilliseconds(node.Count)))
                    await CatchAsync(() => RunTaskAsync(node.Task, limit.Token));
                break;
            case Step.Flush:
                await context.FlushAsync();
                break;
            case Step.Throw:
                throw new PlannedException();
            case Step.Workflow:
                await context.RunAsync(history.Workflows[node.Task].Workflow, node.Count);
                break;
            case Step.Leave:
                _ = context.RunAsync(history.Tasks[node.Task], history.Input(context));
                break;
        }
        Resumed();
    }

    private void Resumed()
    {
        if (!history.Executor.IsHere)
            history.Fail($"the body of {context.JobId} went on off its thread");
        else if (SynchronizationContext.Current != _turn)
            history.Fail($"the body of {context.JobId} went on outside its turn");
    }

    private async Task RunTaskAsync(int task, CancellationToken token = default)
    {
        int result = await context.RunAsync(history.Tasks[task], history.Input(context), token);
        Resumed();
        _record.Results.Add(result);
    }

    private async Task RunBoundedAsync(PlanNode node)
    {
        using SemaphoreSlim two = new(2);
        int now = 0;
        await Task.WhenAll(Enumerable.Range(0, node.Count).Select(OneAsync));

        async Task OneAsync(int _)
        {
            await two.WaitAsync();
            try
            {
                if (++now > 2)
                    history.Fail($"the semaphore of {context.JobId} let three in");
                await RunTaskAsync(node.Task);
            }
            finally
            {
                now--;
                two.Release();
            }
        }
    }

    private async Task RaceAsync(PlanNode node)
    {
        using CancellationTokenSource stop = new();
        Task work = RunTaskAsync(node.Task, stop.Token);
        Task timer = context.DelayAsync(TimeSpan.FromMilliseconds(node.Count), stop.Token);
        await Task.WhenAny(work, timer);
        Resumed();
        stop.Cancel();
        await CatchAsync(() => work);
        await CatchAsync(() => timer);
    }

    private async Task ReadBesideAsync(PlanNode node)
    {
        Task<int> work = context.RunAsync(history.Tasks[node.Task], history.Input(context));
        int wanted = node.Count;
        for (int spins = 0; wanted > 0 && !work.IsCompleted; spins++)
        {
            if (spins > MaxSpin)
            {
                history.Fail($"the loop over signals of {context.JobId} spins inside its turn");
                throw new PlannedException();
            }
            await Task.WhenAny(work, context.Signals.WaitToReadAsync());
            Resumed();
            while (context.Signals.TryRead(out int signal))
            {
                _record.Received.Add(signal);
                wanted--;
            }
        }
        _record.Results.Add(await work);
    }

    private async Task AskAsync(CancellationToken token)
    {
        int question = history.Question(context);
        int reply = await context.AskAsync(new Which(question), token);
        Resumed();
        _record.Replies.Add(question, reply);
    }

    private async Task AskWithLimitAsync(PlanNode node)
    {
        using CancellationTokenSource limit = context.CancelAfter(TimeSpan.FromMilliseconds(node.Count));
        try
        {
            await AskAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!context.Cancelled.IsCancellationRequested)
        {
            Resumed();
        }
    }

    private async Task RunChildAsync(PlanNode node)
    {
        using CancellationTokenSource stop = new();
        Task<int> child = history.Plans[node.Count].IsLoop
            ? context.RunAsync(PlanLoopAgent.Instance, node.Count, stop.Token)
            : context.RunAsync(PlanAgent.Instance, node.Count, stop.Token);
        if (node.Task == 0)
        {
            await Task.WhenAny(child, context.DelayAsync(TimeSpan.FromMilliseconds(20)));
            stop.Cancel();
            await CatchAsync(() => child);
            return;
        }
        if (await child != node.Count)
            history.Fail($"{context.JobId} got the output of another child");
    }

    private async Task StopAsync(PlanNode node)
    {
        using CancellationTokenSource stop = new();
        Task work = RunTaskAsync(node.Task, stop.Token);
        if (node.Count == 1)
            await context.FlushAsync();
        else if (node.Count == 2)
            await context.DelayAsync(TimeSpan.FromMilliseconds(10));
        stop.Cancel();
        await CatchAsync(() => work);
    }

    private async Task CleanUpAsync(PlanNode node)
    {
        try
        {
            await RunAsync(node.Parts[0]);
        }
        finally
        {
            Resumed();
            await context.CleanUpAsync(TimeSpan.FromMilliseconds(node.Count), () => RunTaskAsync(node.Task));
        }
    }

    private async Task CatchAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is OperationCanceledException or TaskFailedException or ChildJobFailedException or PlannedException)
        {
            Resumed();
        }
    }
}
