namespace Millstream.Simulation;

/// <summary>The processes of a history: each is started again when it has ended; until faults stop they are killed, hang and are taken for dead.</summary>
internal sealed class ProcessPark(DurableHistory history, DurableWorld world)
{
    private readonly Random _random = history.Random;

    /// <summary>Keeps one process going.</summary>
    public async Task KeepAsync()
    {
        Dictionary<string, LeaseEpoch> epochs = [];
        while (true)
        {
            SimulatedProcess process = history.NewProcess();
            if (!await DurableWorld.TryAsync(process.StartAsync))
                process.Crash();
            if (!process.IsDead)
            {
                process.Park = new WorkerPark(history, epochs);
                _ = process.Executor.Run(() => process.Park.BefallAsync(process.Orchestrator, () => history.IsSettling));
            }
            await process.Death;
            // Sometimes others take up what it left before it is back.
            int pause = _random.Next(8) switch { 0 or 1 => 1, 2 => 1500, 3 => 12_000, _ => 300 };
            if (_random.Next(2) == 0)
            {
                await world.PauseAsync(pause);
                TakeUp();
            }
            await world.PauseAsync(pause);
        }
    }

    public async Task DisturbAsync()
    {
        for (int i = _random.Next(3) * _random.Next(5); i > 0; i--)
        {
            await world.PauseAsync(_random.Next(3) == 0 ? 4000 : 150);
            if (history.Processes.Count > 0)
                Disturb(history.Processes[_random.Next(history.Processes.Count)]);
        }
    }

    /// <summary>Ends what hangs or was given up, puts workers and resources back, and has all taken up that nobody runs.</summary>
    public async Task RestoreAsync()
    {
        foreach (SimulatedProcess process in history.Processes.ToArray())
        {
            if (process.Executor.Hangs)
                process.Executor.GoOn();
            if (process.IsTakenForDead && _random.Next(2) == 0)
                process.Crash();
            if (process is not { IsReady: true, IsBroken: false, IsDead: false, IsTakenForDead: false })
                continue;
            if (!process.HasSpare)
                process.Park!.AddSpare();
            process.HasSpare = true;
            process.Executor.Run(() =>
            {
                process.Park!.Restore(process.Orchestrator);
                return true;
            });
            await ResumeAsync(process);
        }
    }

    private void Disturb(SimulatedProcess process)
    {
        switch (_random.Next(8))
        {
            case 0:
                // The machine loses its power.
                foreach (SimulatedProcess each in history.Processes.ToArray())
                    each.Crash();
                break;
            case 1:
                process.Crash();
                break;
            case 2 or 3 or 4 when process.IsReady:
                process.Hang(_random.Next(3) > 0);
                history.Later(_random.Next(400), () =>
                {
                    if (process.Executor.Hangs)
                        process.Executor.GoOn();
                });
                break;
            default:
                TakeUp();
                break;
        }
    }

    private void TakeUp()
    {
        SimulatedProcess[] ready = [.. history.Processes.Where(p => p is { IsReady: true, IsBroken: false, IsTakenForDead: false } && !p.Executor.Hangs)];
        if (ready.Length > 0)
            _ = ResumeAsync(ready[_random.Next(ready.Length)]);
    }

    // Who heard that it failed tries again.
    private async Task ResumeAsync(SimulatedProcess process)
    {
        while (process is { IsDead: false, IsBroken: false } && !await DurableWorld.TryAsync(() => process.CallAsync(() => process.Orchestrator.ResumeAsync())))
            await world.PauseAsync(100);
    }
}
