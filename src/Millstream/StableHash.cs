namespace Millstream;

/// <summary>A hash of text that is the same in every process, so that no order ever depends on a run's seed.</summary>
internal static class StableHash
{
    public static int Of(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)hash;
    }
}
