namespace Millstream.Definitions;

/// <summary>The nearest right name to a wrong one.</summary>
internal static class Names
{
    /// <summary>"; did you mean 'x'?" or "; there are: a, b, c", or that there are none.</summary>
    public static string Suggest(string wrong, IEnumerable<string> right)
    {
        string[] names = [.. right];
        if (Nearest(wrong, names) is { } near)
            return $"; did you mean '{near}'?";
        return names.Length switch
        {
            0 => "; there are none",
            <= 16 => "; there are: " + string.Join(", ", names),
            _ => "; there are: " + string.Join(", ", names.Take(16)) + ", ...",
        };
    }

    /// <summary>"; did you mean 'x'?", or nothing: for messages that tell all right names anyway.</summary>
    public static string Near(string wrong, string[] right) => Nearest(wrong, right) is { } near ? $"; did you mean '{near}'?" : "";

    private static string? Nearest(string wrong, string[] right)
    {
        string? best = null;
        // A third of the letters may be wrong, never all of them.
        int bound = Math.Min(wrong.Length, Math.Max(1, wrong.Length / 3) + 1);
        foreach (string name in right)
        {
            int distance = Distance(wrong.ToLowerInvariant(), name.ToLowerInvariant());
            if (distance < bound)
                (best, bound) = (name, distance);
        }
        return best;
    }

    /// <summary>Edits between two names, where swapping two neighbours is one edit.</summary>
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 8 || a.Length > 64 || b.Length > 64)
            return int.MaxValue;
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            cost[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            cost[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replace, 1 + Math.Min(cost[i - 1, j], cost[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }
}
