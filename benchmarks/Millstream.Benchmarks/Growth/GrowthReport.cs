using System.Globalization;
using System.Text.Json;

namespace Millstream;

/// <summary>Figures by size: as tables with bounds, or as one JSON object a line; and as pictures.</summary>
internal sealed class GrowthReport(TextWriter output, bool json, string pictures)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>How many bounds were missed.</summary>
    public int Missed { get; private set; }

    /// <summary>A line for people.</summary>
    public void Say(string line)
    {
        if (!json)
            output.WriteLine(line);
    }

    /// <summary>Prints a table: a row for each size, a column for each series.</summary>
    /// <param name="name">The first word of each case.</param>
    /// <param name="title">Above the table.</param>
    /// <param name="sizeName">What is counted by the sizes.</param>
    /// <param name="series">The columns.</param>
    public void Table(string name, string title, string sizeName, IReadOnlyList<GrowthSeries> series)
    {
        foreach (GrowthSeries one in series)
        {
            foreach ((double size, double value) in one.Points)
                Json(new { @case = $"{name}: {one.Name}", size, value, unit = one.Unit });
        }
        Say("");
        Say(title);
        List<string[]> rows = [[sizeName, .. series.Select(s => $"{s.Name}, {s.Unit}")]];
        foreach (double size in series.SelectMany(s => s.Points.Select(p => p.Size)).Distinct().Order())
            rows.Add([Number(size), .. series.Select(s => s.At(size) is { } value ? Number(value) : "")]);
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        foreach (string[] row in rows)
            Say(string.Join("  ", row.Select((cell, i) => cell.PadLeft(widths[i]))));
    }

    /// <summary>Prints a figure beside the most that it may be.</summary>
    public void Bound(string name, double value, string unit, double most)
    {
        bool isMissed = !(value <= most);
        Missed += isMissed ? 1 : 0;
        Json(new { @case = name, value, unit, bound = most, ok = !isMissed });
        Say(string.Create(CultureInfo.InvariantCulture, $"{name,-72} {Number(value),10} {unit,-3} at most {Number(most)} {unit}: {(isMissed ? "MISSED" : "ok")}"));
    }

    /// <summary>Draws series into a file of the folder of pictures.</summary>
    public void Picture(string file, Chart chart) => File.WriteAllText(Path.Combine(pictures, file), chart.ToSvg());

    /// <summary>A number as people read it: three digits that count.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private void Json(object line)
    {
        if (json)
            output.WriteLine(JsonSerializer.Serialize(line, Plain));
    }
}

/// <summary>One line of a picture, one column of a table.</summary>
internal sealed record GrowthSeries(string Name, string Unit)
{
    public List<(double Size, double Value)> Points { get; } = [];

    public double? At(double size)
    {
        int at = Points.FindIndex(p => p.Size == size);
        return at < 0 ? null : Points[at].Value;
    }

    public void Add(double size, double value) => Points.Add((size, value));
}
