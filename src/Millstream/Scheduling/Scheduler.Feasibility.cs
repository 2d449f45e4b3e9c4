namespace Millstream;

/// <content>What can never be, and the clause that says so.</content>
internal sealed partial class Scheduler
{
    /// <summary>Why this request can never be met, or null. Without workers everything waits.</summary>
    private string? Refusal(TaskRequest request) => QuotaRefusal(request) ?? (workers.Count == 0 ? null : CheckShape(request.Shape));

    private string? RefusalOn(TaskRequest request, WorkerState worker) =>
        QuotaRefusal(request) ?? (matcher.TryMatch(request.Shape, worker, request.Job, MatchMode.Ever) ? null
            : CheckShape(request.Shape) ?? $"worker {worker.Name}, where the session is, has no part in {string.Join(" and ", request.Shape.Needs.Select(n => n.Requirement))}");

    private static string? QuotaRefusal(TaskRequest request)
    {
        Tenant tenant = request.Job.TenantState!;
        if (tenant.Quotas is null)
        {
            return null;
        }

        foreach ((ResourceType type, long amount) in request.Shape.Totals)
        {
            if (tenant.Quotas.TryGetValue(type.Name, out long max) && amount > max)
            {
                return $"needs {amount} {type.Name}, but the quota of tenant {tenant.Name} is {max}";
            }
        }

        return null;
    }

    private string? CheckShape(TaskShape shape)
    {
        if (shape.IsSlotOnly)
        {
            return null;
        }

        if (shape.CheckedGeneration != fleetGeneration)
        {
            shape.CheckedGeneration = fleetGeneration;
            shape.Impossible = FindFault(shape);
        }

        return shape.Impossible;
    }

    private string? FindFault(TaskShape shape)
    {
        foreach (WorkerState worker in workers)
        {
            if (matcher.TryMatch(shape, worker, null, MatchMode.Ever))
            {
                return null;
            }
        }

        foreach (Need need in shape.Needs)
        {
            if (FaultOf(need) is { } fault)
            {
                return fault;
            }
        }

        return $"no single worker offers {string.Join(" and ", shape.Needs.Select(n => n.Requirement))} together";
    }

    private string? FaultOf(Need need)
    {
        string type = need.Type.Name;
        List<ResourceUnit> left = need.Type.Units;
        if (left.Count == 0)
        {
            return $"no worker offers {Words.A(type)}";
        }

        List<string> met = [];
        foreach (LabelClause clause in need.Requirement.Labels.Clauses)
        {
            List<ResourceUnit> matching = left.FindAll(u => clause.Matches(u.Labels));
            if (matching.Count == 0)
            {
                string among = met.Count == 0 ? "" : $" among those with {string.Join(", ", met)}";
                return $"no worker offers {Words.A(type)} with {clause.Text}{among} ({LabelWords.Of(left, type, clause.Key)})";
            }

            met.Add(clause.Text);
            left = matching;
        }

        string with = met.Count == 0 ? "" : $" with {string.Join(", ", met)}";
        if (need.Shared)
        {
            long largest = left.Max(u => u.Capacity);
            return largest < need.Amount ? $"needs {need.Amount} units of one {type}{with}, the largest has {largest}" : RateFaultOf(need, left.FindAll(u => u.Capacity >= need.Amount), $"{type}{with}");
        }

        int pool = left.Count(u => u.Worker is null);
        int most = left.Where(u => u.Worker is not null).GroupBy(u => u.Worker).Select(g => g.Count()).DefaultIfEmpty(0).Max() + pool;
        return most < need.Amount ? $"needs {need.Amount} {Words.Many(type)}{with} of one worker, the most that one offers is {most}" : null;
    }

    private static string? RateFaultOf(Need need, List<ResourceUnit> left, string of)
    {
        foreach (RateAmount rate in need.Rates)
        {
            List<ResourceUnit> suiting = left.FindAll(u => u.RateNamed(rate.Name) is not { } window || window.Limit >= rate.Amount);
            if (suiting.Count == 0)
            {
                RateWindow largest = left.Select(u => u.RateNamed(rate.Name)!).MaxBy(w => w.Limit)!;
                return $"needs {rate.Amount} {rate.Name} of one {of}, the largest takes {largest.Limit} in {Words.Duration(TimeSpan.FromTicks(largest.Length))}";
            }

            left = suiting;
        }

        return null;
    }
}
