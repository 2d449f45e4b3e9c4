namespace Millstream;

/// <content>Where requests wait.</content>
internal sealed partial class Scheduler
{
    private readonly Dictionary<string, Tenant> tenants = new(StringComparer.Ordinal);
    private readonly List<TaskShape> waitingShapes = [];
    private readonly List<TaskShape> joint = [];
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

        if (node.HeapIndex < 0)
        {
            tenant.Jobs.Add(node);
            node.JobIndex = job.Attached.Count;
            job.Attached.Add(node);
        }

        if (tenant.HeapIndex < 0 && !tenant.IsOverQuota)
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
        node.Queue.Remove(request);
        tenant.Ages.Remove(request);
        if (node.Queue.IsEmpty)
        {
            tenant.Jobs.Remove(node);
            RemoveAt(job.Attached, node.JobIndex, static (moved, at) => moved.JobIndex = at);
            node.JobIndex = -1;
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

    private static void AttachTenant(TenantNode node)
    {
        node.Shape.Attach(node);
        node.TenantIndex = node.Tenant.Attached.Count;
        node.Tenant.Attached.Add(node);
    }

    private static void DetachTenant(TenantNode node)
    {
        node.Shape.Detach(node);
        RemoveAt(node.Tenant.Attached, node.TenantIndex, static (moved, at) => moved.TenantIndex = at);
        node.TenantIndex = -1;
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
                Park(node.Shape, null);
            }
        }
    }

    private void Park(TaskShape shape, ResourceType? lacking)
    {
        Unpark(shape);
        if (lacking is null)
        {
            shape.IsJoint = true;
            shape.ParkedIndex = joint.Count;
            joint.Add(shape);
        }
        else
        {
            shape.ParkedUnder = lacking;
            shape.ParkedIndex = lacking.Parked.Count;
            lacking.Parked.Add(shape);
        }

        if (shape.IsRated)
        {
            shape.RatedIndex = ratedShapes.Count;
            ratedShapes.Add(shape);
            isRateWakeStale = true;
        }
    }

    private void Unpark(TaskShape shape)
    {
        if (shape.IsParked)
        {
            RemoveAt(shape.ParkedUnder?.Parked ?? joint, shape.ParkedIndex, static (moved, at) => moved.ParkedIndex = at);
            shape.ParkedUnder = null;
            shape.IsJoint = false;
            shape.ParkedIndex = -1;
            if (shape.IsRated)
            {
                RemoveAt(ratedShapes, shape.RatedIndex, static (moved, at) => moved.RatedIndex = at);
                shape.RatedIndex = -1;
            }
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
