namespace Millstream;

/// <summary>A resource that is nothing but its count and labels, as a licence or a place on a device: tasks use the thing itself in their own way.</summary>
public sealed class PlainResource : Resource
{
    /// <summary>Makes a resource.</summary>
    /// <param name="id">Unique in the fleet.</param>
    /// <param name="type">What requirements name.</param>
    /// <param name="capacity">1 for what one task uses alone, else the units that tasks share.</param>
    /// <param name="labels">What selectors look at.</param>
    /// <param name="rates">What it takes in a window of time.</param>
    public PlainResource(string id, string type, long capacity = 1, IReadOnlyDictionary<string, string>? labels = null, IReadOnlyList<RateLimit>? rates = null) : base(id, type, capacity, labels, rates)
    {
    }
}
