using System.Globalization;

namespace Millstream;

/// <summary>A file of a benchmark is not what its format says.</summary>
internal sealed class BadInstanceException(string file, int line, string fault) : BenchUsageException($"{file}{(line > 0 ? $", line {line}" : "")}: {fault}");

/// <summary>One instance of PSPLIB (Kolisch and Sprecher, 1996): activities with one mode, renewable resources, the first activity before and the last one behind all others.</summary>
internal sealed record ProjectInstance(string Name, TaskNetwork Network, int[] Durations, int[][] Demands, int[] Capacities)
{
    public int Count => Durations.Length;

    /// <summary>No schedule is shorter.</summary>
    public long CriticalPath => Network.Tails(task => Durations[task])[0] + Durations[0];

    /// <summary>Reads a file in the library's format .sm.</summary>
    /// <exception cref="BadInstanceException">It is none; names the line.</exception>
    public static ProjectInstance Read(string path)
    {
        Lines lines = new(path);
        lines.SkipTo("PRECEDENCE RELATIONS:");
        lines.Skip(1);
        List<int[]> successors = [];
        while (lines.Numbers() is { } row)
        {
            if (row.Length < 3 || row[0] != successors.Count + 1 || row[1] != 1 || row.Length != 3 + row[2])
                throw lines.Fault($"expected activity {successors.Count + 1}, 1 mode, the number of successors and so many successors");
            successors.Add([.. row[3..].Select(s => s - 1)]);
        }
        int count = successors.Count;
        if (count == 0)
            throw lines.Fault("there is no activity");
        if (successors.SelectMany(s => s).Any(s => s < 0 || s >= count))
            throw lines.Fault($"a successor is not within 1 to {count}");
        lines.SkipTo("REQUESTS/DURATIONS:");
        lines.Skip(2);
        List<int[]> requests = [];
        while (lines.Numbers() is { } row)
        {
            if (row.Length < 4 || row[0] != requests.Count + 1 || (requests.Count > 0 && row.Length != requests[0].Length))
                throw lines.Fault($"expected activity {requests.Count + 1}, mode, duration and what it takes of each resource");
            requests.Add(row);
        }
        if (requests.Count != count)
            throw lines.Fault($"there are {requests.Count} durations for {count} activities");
        lines.SkipTo("RESOURCEAVAILABILITIES:");
        lines.Skip(1);
        int[] capacities = lines.Numbers() ?? throw lines.Fault("expected what there is of each resource");
        if (capacities.Length != requests[0].Length - 3)
            throw lines.Fault($"there are {capacities.Length} resources here and {requests[0].Length - 3} above");
        TaskNetwork network = new([.. successors]);
        if (network.Order.Length != count || network.Order[0] != 0)
            throw lines.Fault("the activities are not in an order that begins with the first one");
        return new ProjectInstance(Path.GetFileName(path), network, [.. requests.Select(r => r[2])], [.. requests.Select(r => r[3..])], capacities);
    }

    private sealed class Lines(string path)
    {
        private readonly string[] _lines = File.ReadAllLines(path);
        private int _at;

        public BadInstanceException Fault(string fault) => new(path, Math.Min(_at, _lines.Length), fault);

        public void SkipTo(string heading)
        {
            int found = Array.FindIndex(_lines, _at, l => l.StartsWith(heading, StringComparison.Ordinal));
            if (found < 0)
                throw Fault($"'{heading}' does not follow; give files of PSPLIB's format .sm");
            _at = found + 1;
        }

        public void Skip(int lines) => _at += lines;

        /// <summary>The numbers of the next line; null where it has none.</summary>
        public int[]? Numbers()
        {
            if (_at >= _lines.Length || _lines[_at].StartsWith('*') || string.IsNullOrWhiteSpace(_lines[_at]))
                return null;
            string[] words = _lines[_at++].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return [.. words.Select(w => int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : throw Fault($"'{w}' is no whole number"))];
        }
    }
}
