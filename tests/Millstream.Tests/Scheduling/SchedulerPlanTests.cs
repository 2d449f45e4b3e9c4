namespace Millstream.Tests;

/// <summary>Jobs that go by a plan while nothing goes as planned.</summary>
public sealed class SchedulerPlanTests
{
    [Fact]
    public void Plans_ThatTurnOutWrong_LeaveNobodyBehind()
    {
        int later = 0;
        for (int seed = 0; seed < 600; seed++)
        {
            try
            {
                later += new Run(seed).ToEnd();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Assert.Fail($"Seed {seed}: {e.Message}\n{e.StackTrace}");
            }
        }
        Assert.True(later > 300, $"only {later} requests waited for later: it tests nothing");
    }

    private sealed class Run
    {
        private readonly SchedulerWorld world = new();
        private readonly Random random;
        private readonly PlannedJob job;
        private readonly SchedulingJob scheduling;
        private readonly SchedulingJob other;
        private readonly JobPlan plan;
        private readonly LookAhead look;
        private readonly PlanState copy;
        private readonly int[] waits;
        private readonly Dictionary<int, TaskRequest> open = [];
        private readonly List<TaskRequest> others = [];
        private readonly ResourceRequirement[][] needs;
        private bool isOffline;
        private int later;

        public Run(int seed)
        {
            random = new Random(seed);
            job = new PlannedJob(seed, 25);
            (scheduling, other) = (world.Job("planned"), world.Job("other"));
            ResourceUnit[] units = [.. Enumerable.Range(0, 4).Select(i => SchedulerWorld.Unit($"u{i}", "unit"))];
            world.Worker("w", 2 + random.Next(3), units);
            int count = job.Model.Network.Count;
            needs = [.. Enumerable.Range(0, count).Select(_ => random.Next(3) == 0 ? [] : new[] { ResourceRequirement.Exclusive("unit", amount: 1 + random.Next(3)) })];
            long[] durations = [.. job.Model.Durations.Select(d => d * SchedulerWorld.Second)];
            PlanModel model = world.Scheduler.Model(new TaskRanking(job.Model.Network, t => durations[t] > 0, needs), durations);
            plan = JobPlan.Make(model, spread: 0.05)!;
            world.Scheduler.Plan(scheduling, plan);
            (look, copy) = (new LookAhead(model, seed, patience: 60), new PlanState(count));
            waits = [.. job.Model.Network.Predecessors.Select(p => p.Length)];
        }

        public int ToEnd()
        {
            Submit([.. Enumerable.Range(0, waits.Length).Where(t => waits[t] == 0)]);
            for (int step = 0; open.Count > 0 || others.Count > 0; step++)
            {
                Assert.True(step < 5000, $"{open.Count} tasks wait for ever: {string.Join("; ", open.Values.Select(r => r.TaskId + " " + world.Scheduler.Explain(r)))}");
                if (random.Next(3) == 0 && open.Count > 0)
                    Think();
                world.Now += random.Next(8) * SchedulerWorld.Second;
                switch (random.Next(step < 400 ? 12 : 4))
                {
                    case 4:
                        world.Scheduler.SetOffline("u0", "broken", world.Now);
                        isOffline = true;
                        break;
                    case 5 when isOffline:
                        world.Scheduler.SetOnline("u0", world.Now);
                        isOffline = false;
                        break;
                    case 6 when others.Count < 3:
                        others.Add(world.Submit("other", other, random.Next(2) == 0 ? [] : [ResourceRequirement.Exclusive("unit")]));
                        break;
                    case 7:
                        Withdraw();
                        break;
                    default:
                        if (step >= 400 && isOffline)
                        {
                            world.Scheduler.SetOnline("u0", world.Now);
                            isOffline = false;
                        }
                        End();
                        break;
                }
                world.Drain();
                Check();
                world.Scheduler.Tick(world.Now);
                world.Drain();
                Check();
            }
            Assert.Empty(plan.Waiting);
            Assert.Equal(0, plan.Running);
            Assert.Empty(world.Scheduler.Snapshot().Leased);
            Assert.Empty(world.Scheduler.Snapshot().Queues);
            return later;
        }

        private void Submit(int[] tasks)
        {
            world.Scheduler.BeginBatch();
            foreach (int task in tasks)
            {
                open[task] = new TaskRequest(scheduling, task + 1, world.Scheduler.Intern(needs[task]), $"t{task}") { PlanTask = task };
                world.Scheduler.Submit(open[task], world.Now);
            }
            world.Scheduler.EndBatch();
            world.Drain();
        }

        private void Think()
        {
            plan.StateAt(world.Now).CopyTo(copy);
            look.Improve(copy, () => true);
            world.Scheduler.Replan(scheduling, look.Keys, world.Now);
            world.Drain();
        }

        private void End()
        {
            TaskRequest[] running = [.. open.Values.Concat(others).Where(r => r.State == RequestState.Granted)];
            if (running.Length == 0)
                return;
            TaskRequest ended = running[random.Next(running.Length)];
            world.Release(ended);
            if (!others.Remove(ended))
                Passed(ended.PlanTask);
        }

        private void Withdraw()
        {
            TaskRequest[] waiting = [.. open.Values.Where(r => r.State is RequestState.Waiting or RequestState.Later)];
            if (waiting.Length == 0)
                return;
            TaskRequest gone = waiting[random.Next(waiting.Length)];
            Assert.True(world.Scheduler.Withdraw(gone, world.Now));
            world.Drain();
            Passed(gone.PlanTask);
        }

        private void Passed(int task)
        {
            open.Remove(task);
            world.Scheduler.Pass(scheduling, task);
            Submit([.. job.Model.Network.Successors[task].Where(next => --waits[next] == 0)]);
        }

        private void Check()
        {
            TaskRequest[] late = [.. open.Values.Where(r => r.State == RequestState.Later)];
            later += late.Length;
            if (late.Length == 0)
                return;
            Assert.Contains(open.Values, r => r.State == RequestState.Granted);
            Assert.True(others.Count == 0, "it leaves to another job what it could take");
            Assert.All(late, r => Assert.Null(r.Hold));
        }
    }
}
