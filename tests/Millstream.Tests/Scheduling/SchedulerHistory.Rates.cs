namespace Millstream.Tests;

/// <content>What happens to rates and capacities.</content>
internal sealed partial class SchedulerHistory
{
    private void Release()
    {
        Grant grant = live[random.Next(live.Count)];
        bool isOpening = grant.Request.Opens is not null, isAtWork = random.Next(4) == 0;
        scheduler.Release(grant, now, isAtWork);
        // The end of a session is a loss of what it held.
        if (isOpening)
        {
            return;
        }

        if (isAtWork)
        {
            stopping.Add(grant);
        }
        else
        {
            rates.Arrived(grant, now);
        }
    }

    private void Stopped(Grant grant)
    {
        stopping.Remove(grant);
        rates.Arrived(grant, now);
        scheduler.Ended(grant, now);
    }

    private void Arrive(Grant grant)
    {
        rates.Arrived(grant, now);
        scheduler.Arrived(grant, null, now);
    }

    private void SettleRate(Grant grant)
    {
        for (int i = Borrowed(grant); i < grant.Members.Count; i++)
        {
            GrantMember member = grant.Members[i];
            foreach (string rate in member.Requirement.Shared ? rates.RatesOf(member.Unit.Id) : [])
            {
                long amount = random.Next(12);
                rates.Settled(grant, i, member.Unit.Id, rate, amount);
                scheduler.SettleRate(grant, i, rate, amount, now);
                return;
            }
        }
    }

    private void Learn(ResourceUnit unit)
    {
        if (random.Next(2) == 0 && rates.RatesOf(unit.Id).FirstOrDefault() is { } rate)
        {
            long limit = random.Next(8, 30);
            rates.SetLimit(unit.Id, rate, limit);
            scheduler.SetRate(unit.Id, rate, limit, now);
        }
        else
        {
            long? most = random.Next(2) == 0 ? null : random.NextInt64(unit.Capacity + 1);
            rates.Throttle(unit.Id, most);
            scheduler.Throttle(unit.Id, most, now);
        }
    }

    private static int Borrowed(Grant grant) => grant.Session is not null && grant.Session.Grant != grant ? grant.Session.Grant!.Members.Count : 0;

    private ResourceRequirement Rated(ResourceRequirement need)
    {
        need = random.Next(2) == 0 ? need.WithRate("r", random.Next(1, 8)) : need;
        return random.Next(4) == 0 ? need.WithRate("q", random.Next(1, 3)) : need;
    }
}
