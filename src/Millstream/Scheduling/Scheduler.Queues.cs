namespace Millstream;

/// <content>Where requests wait.</content>
internal sealed partial class Scheduler
{
    private readonly Dictionary<string, Tenant> tenants = new(StringComparer.Ordinal);
    private readonly List<TaskShape> waitingShapes = [];
    private readonly List<TaskShape> fresh = [];
    private int waitingTenants;
    private int waitingJobs;
    private double level;
    private long partyOrder;

    private void Join(SchedulingJob job)
    {
        Tenant? tenant = job.TenantState;
        if (tenant is null || tenant.Pruned)
        {
            job.ForgetTenant();
            tenant = TenantOf(job.Tenant);
            job.TenantState = tenant;
        }

        job.Fair ??= new FairShare(job.Weight, ++partyOrder);
        if (job.Fair.Grants == 0 && job.Waiting == 0)
        {
            job.Fair.Join(tenant.Level);
            if (tenant.IsIdle)
            {
                tenant.Fair.Join(level);
            }
        }
    }

    private Tenant TenantOf(string name)
    {
        if (tenants.TryGetValue(name, out Tenant? tenant))
        {
            return tenant;
        }

        if (tenants.Count >= nextPrune)
        {
            foreach (Tenant idle in tenants.Values.Where(t => t.IsIdle).ToList())
            {
                idle.Pruned = true;
                tenants.Remove(idle.Name);
            }

            nextPrune = Math.Max(1024, tenants.Count * 2);
        }

        tenant = new Tenant(name, options.TenantWeights.GetValueOrDefault(name, 1), ++partyOrder);
        foreach (TenantQuota quota in options.Quotas)
        {
            if (quota.Tenant == name || (quota.Tenant == "*" && !options.Quotas.Any(q => q.Tenant == name && q.Type == quota.Type)))
            {
                (tenant.Quotas ??= new(StringComparer.Ordinal))[quota.Type] = quota.Max;
            }
        }

        tenants.Add(name, tenant);
        return tenant;
    }

    private int nextPrune = 1024;

    private void Enqueue(TaskRequest request)
    {
        SchedulingJob job = request.Job;
        TaskShape shape = request.Shape;
        if (shape.Id < 0)
        {
            table.Add(shape);
        }

        JobNode node = job.NodeFor(shape, request.Class);
        TenantNode tenant = node.Tenant;
        request.Node = node;
        request.State = RequestState.Waiting;
        node.Queue.Add(request);
        tenant.Ages.Add(request);
        if (shape.Waiting++ == 0)
        {
            shape.WaitingIndex = waitingShapes.Count;
            waitingShapes.Add(shape);
        }

        if (job.Waiting++ == 0)
        {
            waitingJobs++;
            Watch(job);
        }

        if (tenant.Tenant.Waiting++ == 0)
        {
            waitingTenants++;
        }

        if (!node.IsListed)
        {
            AttachNode(node);
        }
        else if (node.Queue.Head == request)
        {
            HeadChanged(node);
        }

        if (tenant.ShapeIndex < 0 && !tenant.IsOverQuota)
        {
            AttachTenant(tenant);
        }

        nextScan = Math.Min(nextScan, request.ClassSince + FirstScan);
    }

    private void Dequeue(TaskRequest request)
    {
        SchedulingJob job = request.Job;
        TaskShape shape = request.Shape;
        JobNode node = request.Node!;
        TenantNode tenant = node.Tenant;
        request.Node = null;
        bool wasHead = node.Queue.Head == request;
        node.Queue.Remove(request);
        tenant.Ages.Remove(request);
        if (node.Queue.IsEmpty)
        {
            DetachNode(node);
            job.Forget(node);
            if (tenant.Jobs.Count == 0)
            {
                if (tenant.IsOverQuota)
                {
                    tenant.IsOverQuota = false;
                    tenant.Tenant.OverQuota.Remove(tenant);
                }
                else
                {
                    DetachTenant(tenant);
                }

                tenant.Tenant.Forget(tenant);
            }
        }
        else if (wasHead)
        {
            HeadChanged(node);
        }

        if (--shape.Waiting == 0)
        {
            RemoveAt(waitingShapes, shape.WaitingIndex, static (moved, at) => moved.WaitingIndex = at);
            shape.WaitingIndex = -1;
        }

        if (--job.Waiting == 0)
        {
            waitingJobs--;
            Watch(job);
        }

        if (--tenant.Tenant.Waiting == 0)
        {
            waitingTenants--;
        }

        if (waitingShapes.Count == 0)
        {
            nextScan = long.MaxValue;
        }
    }

    private void DequeueKeepingPark(TaskRequest request)
    {
        Dequeue(request);
        if (!request.Shape.HasHead)
        {
            Unpark(request.Shape);
        }
    }

    private static void HeadChanged(JobNode node)
    {
        LineKey key = node.Key;
        node.Line.Nodes.Move(node.Listed, key);
        node.Listed = key;
    }

    private static void AttachNode(JobNode node)
    {
        node.TenantIndex = node.Tenant.Jobs.Count;
        node.Tenant.Jobs.Add(node);
        node.Shape.Competitors += node.Tenant.ShapeIndex < 0 ? 0 : 1;
        JobLine line = node.Line;
        node.Listed = node.Key;
        line.Nodes.Add(node.Listed, node);
        if (line.Nodes.Count > 1)
        {
            return;
        }

        TenantLine tenant = line.Tenant;
        line.JobIndex = line.Job.Attached.Count;
        line.Job.Attached.Add(line);
        tenant.Jobs.Add(line);
        if (tenant.In is null)
        {
            tenant.Family.Attach(tenant);
            tenant.TenantIndex = tenant.Tenant.Attached.Count;
            tenant.Tenant.Attached.Add(tenant);
        }
    }

    private static void DetachNode(JobNode node)
    {
        RemoveAt(node.Tenant.Jobs, node.TenantIndex, static (moved, at) => moved.TenantIndex = at);
        node.TenantIndex = -1;
        node.Shape.Competitors -= node.Tenant.ShapeIndex < 0 ? 0 : 1;
        JobLine line = node.Line;
        line.Nodes.Remove(node.Listed);
        if (line.Nodes.Count > 0)
        {
            return;
        }

        TenantLine tenant = line.Tenant;
        RemoveAt(line.Job.Attached, line.JobIndex, static (moved, at) => moved.JobIndex = at);
        line.JobIndex = -1;
        tenant.Jobs.Remove(line);
        if (tenant.Jobs.Count == 0)
        {
            tenant.Family.Detach(tenant);
            RemoveAt(tenant.Tenant.Attached, tenant.TenantIndex, static (moved, at) => moved.TenantIndex = at);
            tenant.TenantIndex = -1;
        }
    }

    private static void AttachTenant(TenantNode node)
    {
        node.ShapeIndex = node.Shape.Tenants.Count;
        node.Shape.Tenants.Add(node);
        node.Shape.Competitors += node.Jobs.Count;
    }

    private static void DetachTenant(TenantNode node)
    {
        RemoveAt(node.Shape.Tenants, node.ShapeIndex, static (moved, at) => moved.ShapeIndex = at);
        node.ShapeIndex = -1;
        node.Shape.Competitors -= node.Jobs.Count;
    }

    private void SetOverQuota(TenantNode node)
    {
        DetachTenant(node);
        node.IsOverQuota = true;
        node.Tenant.OverQuota.Add(node);
        if (!node.Shape.HasHead)
        {
            Unpark(node.Shape);
        }
    }

    private void WakeQuota(Tenant tenant)
    {
        for (int i = tenant.OverQuota.Count - 1; i >= 0; i--)
        {
            TenantNode node = tenant.OverQuota[i];
            if (!tenant.Allows(node.Shape, out _))
            {
                continue;
            }

            tenant.OverQuota.RemoveAt(i);
            node.IsOverQuota = false;
            AttachTenant(node);
            if (!node.Shape.IsParked)
            {
                Freshen(node.Shape);
            }
        }
    }

    /// <summary>Parks a shape until some of what it lacks comes back.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="lacking">The type; null where all are there but not together.</param>
    private void Park(TaskShape shape, ResourceType? lacking)
    {
        Unpark(shape);
        if (lacking is null)
        {
            ShapeTable.Set(table.Joint, shape.Id, true);
        }
        else
        {
            ShapeTable.Set(lacking.Shapes.Parked, shape.Id, true);
        }

        Rated(shape);
    }

    /// <summary>Has a shape looked at in the next dispatch.</summary>
    private void Freshen(TaskShape shape)
    {
        Unpark(shape);
        shape.IsFresh = true;
        shape.FreshIndex = fresh.Count;
        fresh.Add(shape);
        Rated(shape);
    }

    private void Rated(TaskShape shape)
    {
        if (shape.IsRated)
        {
            shape.RatedIndex = ratedShapes.Count;
            ratedShapes.Add(shape);
            isRateWakeStale = true;
        }
    }

    private void Unpark(TaskShape shape)
    {
        if (!shape.IsParked)
        {
            return;
        }

        ShapeTable.Set(table.Awake, shape.Id, false);
        if (shape.IsFresh)
        {
            RemoveAt(fresh, shape.FreshIndex, static (moved, at) => moved.FreshIndex = at);
            shape.IsFresh = false;
            shape.FreshIndex = -1;
        }
        else
        {
            ShapeTable.Set(table.Joint, shape.Id, false);
            foreach ((ResourceType type, _) in shape.Totals)
            {
                ShapeTable.Set(type.Shapes.Parked, shape.Id, false);
            }
        }

        if (shape.IsRated)
        {
            RemoveAt(ratedShapes, shape.RatedIndex, static (moved, at) => moved.RatedIndex = at);
            shape.RatedIndex = -1;
        }
    }

    private static void RemoveAt<T>(List<T> list, int at, Action<T, int> moved)
    {
        int last = list.Count - 1;
        if (at != last)
        {
            list[at] = list[last];
            moved(list[at], at);
        }

        list.RemoveAt(last);
    }
}
