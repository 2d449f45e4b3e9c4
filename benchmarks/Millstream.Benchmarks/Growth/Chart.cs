using System.Globalization;
using System.Text;

namespace Millstream;

/// <summary>A small picture of lines over a logarithmic axis, as SVG; readable in light and dark.</summary>
/// <param name="Title">Above it.</param>
/// <param name="X">What the sizes count.</param>
/// <param name="Y">What the values are, with their unit.</param>
/// <param name="Series">The lines; their values are greater than 0.</param>
/// <param name="Bound">A line across: the most that is allowed.</param>
/// <param name="IsLogY">Whether the upright axis is logarithmic, too; else it begins at 0.</param>
internal sealed record Chart(string Title, string X, string Y, IReadOnlyList<GrowthSeries> Series, (string Name, double Value)? Bound = null, bool IsLogY = true)
{
    private const double Width = 640, Left = 62, Right = 16, Top = 44, PlotHeight = 250, LegendLine = 18;
    private const int Colours = 8;

    // Each reads well on white and on near black.
    private static readonly string[] Palette = ["#2f7ed8", "#d9822b", "#2e9e5b", "#c23b75", "#8a63d2", "#8c6d46", "#1f9aa5", "#9a9a2a"];

    public string ToSvg()
    {
        (double, double) x = Range(Series.SelectMany(s => s.Points.Select(p => p.Size)));
        List<double> values = [.. Series.SelectMany(s => s.Points.Select(p => p.Value))];
        if (Bound is { } bound)
            values.Add(bound.Value);
        double[] ticks = IsLogY ? [] : Steps(values.Max());
        (double, double) y = IsLogY ? Range(values) : (0, ticks[^1]);
        int lines = (Series.Count + 1 + (Bound is null ? 0 : 1)) / 2;
        double bottom = Top + PlotHeight, height = bottom + 50 + lines * LegendLine;
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{height}}" width="{{Width}}" height="{{height}}" role="img" aria-label="{{Escape(Title)}}" font-family="system-ui, sans-serif" font-size="12">
            <style>
            .back { fill: #ffffff; } text { fill: #24292f; } .grid { stroke: #d8dee4; } .bound { stroke: #24292f; }
            @media (prefers-color-scheme: dark) { .back { fill: #0d1117; } text { fill: #e6edf3; } .grid { stroke: #30363d; } .bound { stroke: #e6edf3; } }
            </style>
            <rect class="back" width="{{Width}}" height="{{height}}" rx="6"/>
            <text x="{{Left}}" y="20" font-size="14" font-weight="600">{{Escape(Title)}}</text>
            <text x="{{Left}}" y="37">{{Escape(Y)}}</text>
            <text x="{{(Left + Width - Right) / 2}}" y="{{bottom + 34}}" text-anchor="middle">{{Escape(X)}}</text>

            """);
        foreach (double tick in Decades(x))
        {
            double at = PlaceX(tick);
            svg.Append(CultureInfo.InvariantCulture, $"""<line class="grid" x1="{at:0.#}" y1="{Top}" x2="{at:0.#}" y2="{bottom}"/><text x="{at:0.#}" y="{bottom + 17}" text-anchor="middle">{Tick(tick)}</text>""").Append('\n');
        }
        foreach (double tick in IsLogY ? Decades(y) : ticks)
        {
            double at = PlaceY(tick);
            svg.Append(CultureInfo.InvariantCulture, $"""<line class="grid" x1="{Left}" y1="{at:0.#}" x2="{Width - Right}" y2="{at:0.#}"/><text x="{Left - 8}" y="{at + 4:0.#}" text-anchor="end">{Tick(tick)}</text>""").Append('\n');
        }
        int place = 0;
        foreach (GrowthSeries series in Series)
        {
            string colour = Palette[place % Colours];
            string points = string.Join(' ', series.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{PlaceX(p.Size):0.#},{PlaceY(p.Value):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"""<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>""").Append('\n');
            foreach ((double size, double value) in series.Points)
                svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="{PlaceX(size):0.#}" cy="{PlaceY(value):0.#}" r="3" fill="{colour}"/>""");
            svg.Append('\n');
            Legend(place++, series.Name, $"""stroke="{colour}" stroke-width="2" """);
        }
        if (Bound is { } most)
        {
            double at = PlaceY(most.Value);
            svg.Append(CultureInfo.InvariantCulture, $"""<line class="bound" stroke-dasharray="5 4" x1="{Left}" y1="{at:0.#}" x2="{Width - Right}" y2="{at:0.#}"/>""").Append('\n');
            Legend(place, most.Name, """class="bound" stroke-dasharray="5 4" """);
        }
        return svg.Append("</svg>\n").ToString();

        double PlaceX(double value) => Left + (Math.Log10(value) - x.Item1) / (x.Item2 - x.Item1) * (Width - Left - Right);

        double PlaceY(double value) => bottom - ((IsLogY ? Math.Log10(value) : value) - y.Item1) / (y.Item2 - y.Item1) * PlotHeight;

        void Legend(int at, string name, string look)
        {
            double fromLeft = Left + at % 2 * (Width - Left - Right) / 2, fromTop = bottom + 54 + at / 2 * LegendLine;
            svg.Append(CultureInfo.InvariantCulture, $"""<line {look}x1="{fromLeft}" y1="{fromTop - 4}" x2="{fromLeft + 22}" y2="{fromTop - 4}"/><text x="{fromLeft + 28}" y="{fromTop}">{Escape(name)}</text>""").Append('\n');
        }
    }

    /// <summary>Whole powers of ten around all values, as exponents.</summary>
    private static (double, double) Range(IEnumerable<double> values)
    {
        List<double> all = [.. values];
        (double from, double to) = (Math.Floor(Math.Log10(all.Min())), Math.Ceiling(Math.Log10(all.Max())));
        return (from, Math.Max(to, from + 1));
    }

    private static IEnumerable<double> Decades((double From, double To) range)
    {
        for (double exponent = range.From; exponent <= range.To; exponent++)
            yield return Math.Pow(10, exponent);
    }

    /// <summary>Four to ten even steps from 0 to above the greatest value.</summary>
    private static double[] Steps(double most)
    {
        double rough = Math.Pow(10, Math.Floor(Math.Log10(most)));
        double step = new[] { rough / 5, rough / 2, rough, rough * 2 }.First(s => most / s <= 8);
        return [.. Enumerable.Range(0, (int)Math.Ceiling(most / step) + 1).Select(i => i * step)];
    }

    private static string Tick(double value) => value switch
    {
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:0.#}M"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:0.#}k"),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal);
}
