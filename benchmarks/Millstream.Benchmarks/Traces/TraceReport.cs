using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millstream;

/// <summary>What the command says: lines for people, or one object of JSON a line.</summary>
internal sealed class TraceReport(bool isJson)
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>How many bounds were missed.</summary>
    public int Missed { get; private set; }

    /// <summary>A line for people.</summary>
    public void Say(FormattableString line)
    {
        if (!isJson)
            Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>An object for programs.</summary>
    public void Give(object line)
    {
        if (isJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(line, Options));
    }

    /// <summary>What stands behind a figure that has a bound.</summary>
    public string Against(double value, double bound)
    {
        bool isMissed = !(value <= bound);
        if (isMissed)
            Missed++;
        return isMissed ? "MISSED" : "ok";
    }

    /// <summary>Something that must not happen, bound or not.</summary>
    public void Fail(string what)
    {
        Missed++;
        Console.Error.WriteLine($"bench: {what}");
    }
}
