namespace Millstream;

/// <summary>What a store has of a job.</summary>
/// <param name="Head">The head, with the epoch under which it is claimed.</param>
/// <param name="Last">The number of its last entry.</param>
/// <param name="Chain">The chain after its last record.</param>
/// <param name="ReplayBytes">How many bytes a replay reads.</param>
/// <param name="Time">The time that the job has reached, in UTC ticks: that of its last entry, or later.</param>
internal sealed record StoredJobState(JobHead Head, long Last, Chain Chain, long ReplayBytes, long Time);
