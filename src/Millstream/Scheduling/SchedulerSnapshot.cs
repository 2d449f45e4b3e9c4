namespace Millstream;

internal enum UnitStatus { Available, Busy, Offline }

/// <summary>Who leases how much of a unit.</summary>
internal sealed record UnitHolder(string JobId, string TaskId, long Amount, LeaseEpoch Epoch);

/// <summary>One unit at one moment. Busy: nothing of it can be leased now; <see cref="Detail"/> says why it is offline or cooling.</summary>
internal sealed record UnitSnapshot(string Id, string Type, string? WorkerId, UnitStatus Status, long Capacity, long Free, string? Detail, IReadOnlyList<UnitHolder> Holders, string? HeldFor);

/// <summary>One worker at one moment; <see cref="HeldFor"/> says for whom a slot is held.</summary>
internal sealed record WorkerSnapshot(string Id, string Name, int Slots, int FreeSlots, string? HeldFor);

/// <summary>How many tasks of one tenant wait in one class for one kind of requirement.</summary>
internal sealed record QueueSnapshot(string Tenant, int Class, string Requirements, int Length);

/// <summary>What one job leases: type and amount, the slots included.</summary>
internal sealed record LeasedSnapshot(string Tenant, string JobId, IReadOnlyDictionary<string, long> Leased);

/// <summary>How much of one type is leased and how much is free.</summary>
internal readonly record struct ResourceUse(string Type, long Leased, long Free);

/// <summary>All that the scheduler knows at one moment, for people.</summary>
internal sealed record SchedulerSnapshot(
    IReadOnlyList<WorkerSnapshot> Workers, IReadOnlyList<UnitSnapshot> Units, IReadOnlyList<QueueSnapshot> Queues, IReadOnlyList<LeasedSnapshot> Leased);
