using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fluid;
using Fluid.Values;

namespace Millstream.Definitions;

/// <summary>Templates in Liquid: data, loops and conditions, no code.</summary>
internal static partial class TemplateText
{
    public const int MaxLength = 10 * 1024 * 1024;
    private const int MaxSteps = 5_000_000;
    private static readonly FluidParser Parser = new();

    /// <summary>Finds faults of a template before anything runs.</summary>
    public static void Check(ReadContext context, MapValue with, string name)
    {
        ValueNode[] given = [.. with.Entries.Where(e => e.Key is "text" or "file").Select(e => e.Value)];
        if (given.Length != 1)
            context.Faults.Add(with.Mark, $"{name}.with needs either 'text' or 'file', the template{(given.Length > 1 ? ", not both" : "")}");
        if (given is not [ConstantValue { Value: { ValueKind: JsonValueKind.String } value }])
            return;
        string text = value.GetString()!;
        string? file = null;
        if (with.Entries.Any(e => e.Key == "file"))
        {
            try
            {
                file = context.Place.Beside(text);
                text = context.Texts.Load(file, context.Limits);
            }
            catch (WorkflowFileException e)
            {
                context.Faults.Add(given[0].Mark, $"{name}.with.file: {e.Faults[0].Message}");
                return;
            }
        }
        if (Fault(text) is not { } fault)
            return;
        string message = $"{name}: the template cannot be read: {fault.Message}";
        if (file is not null && fault.Line > 0)
            context.Faults.AddAll([new WorkflowFault(file, fault.Line, fault.Column, message)]);
        else
            context.Faults.Add(file is null ? context.Compiler.Inside(given[0].Mark, text, fault.Line, fault.Column) : given[0].Mark, message);
    }

    /// <summary>Why a text is no template, in one line, and where; null where it is one.</summary>
    private static (int Line, int Column, string Message)? Fault(string text)
    {
        if (Parser.TryParse(text, out _, out string? error))
            return null;
        // "Invalid 'for' tag at (2:7)\nSource:\n{% for x in %}"
        Match place = Place().Match(error);
        return place.Success
            ? (int.Parse(place.Groups["line"].Value, CultureInfo.InvariantCulture), int.Parse(place.Groups["column"].Value, CultureInfo.InvariantCulture), error[..place.Index])
            : (0, 0, error.ReplaceLineEndings(" "));
    }

    /// <summary>What a template takes when it runs: the one of text and file that was written, which then must not be null.</summary>
    public static DataType With(MapValue with) => DataType.ObjectOf(KindShape.BuiltIn["template"].With.Fields.ToDictionary(
        f => f.Key, f => f.Value with { Required = f.Key is "text" or "file" && with.Entries.Any(e => e.Key == f.Key) }, StringComparer.Ordinal));

    /// <summary>Fills a template; <paramref name="delta"/> gets the text in pieces as it comes.</summary>
    public static async Task<JsonElement> RunAsync(JsonElement with, string folder, Action<string> delta, CancellationToken token, WorkflowTexts? texts = null)
    {
        string template = with.Text("text") ?? Load(Path.Combine(folder, with.Text("file")!), texts);
        if (!Parser.TryParse(template, out IFluidTemplate? parsed))
            throw new KindFailureException(Fault(template) is { Line: > 0 } fault ? $"template: it cannot be read: {fault.Message} in line {fault.Line}" : $"template: it cannot be read: {Fault(template)?.Message}");
        parsed = new BoundedRanges().VisitTemplate(parsed);
        var options = new TemplateOptions { MaxSteps = MaxSteps, MaxRecursion = 100, Assigned = Bound, Captured = Bound };
        var context = new TemplateContext(options);
        foreach (JsonProperty value in with.Find("values") is { } values ? values.EnumerateObject() : default)
            context.SetValue(value.Name, Plain(value.Value));
        using var writer = new PieceWriter(delta, token);
        try
        {
            await parsed.RenderAsync(writer, NullEncoder.Default, context);
        }
        catch (Exception e) when (e is not (KindFailureException or OperationCanceledException or OutOfMemoryException))
        {
            throw new KindFailureException($"template: {e.Message}");
        }
        return JsonSerializer.SerializeToElement(new { text = writer.Finish() });
    }

    /// <summary>A text or list that is doubled in a loop must not take the process down.</summary>
    private static ValueTask<FluidValue> Bound(string name, FluidValue value, TemplateContext context) => value switch
    {
        StringValue when value.ToStringValue().Length > MaxLength => throw new KindFailureException($"template: '{name}' is longer than {MaxLength} characters"),
        ArrayValue { Values.Count: > MaxSteps } => throw new KindFailureException($"template: '{name}' has more than {MaxSteps} items"),
        _ => ValueTask.FromResult(value),
    };

    private static string Load(string path, WorkflowTexts? texts)
    {
        try
        {
            return texts?.Find(path) ?? WorkflowFile.Load(path, WorkflowLimits.Default);
        }
        catch (WorkflowFileException e)
        {
            throw new KindFailureException($"template: {e.Faults[0].Message}");
        }
    }

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().GroupBy(p => p.Name).ToDictionary(g => g.Key, g => Plain(g.Last().Value)),
        JsonValueKind.Array => value.EnumerateArray().Select(Plain).ToArray(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.TryGetDecimal(out decimal number) ? number : value.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    [GeneratedRegex(@" at \((?<line>[0-9]{1,8}):(?<column>[0-9]{1,8})\)")] private static partial Regex Place();

    /// <summary>Gathers the text, hands it on in pieces of some kilobytes, and holds its bound.</summary>
    private sealed class PieceWriter(Action<string> delta, CancellationToken token) : TextWriter
    {
        private const int Piece = 4096;
        private readonly StringBuilder _text = new();
        private int _told;

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write([value]);

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(ReadOnlySpan<char> buffer)
        {
            token.ThrowIfCancellationRequested();
            if (_text.Length + buffer.Length > MaxLength)
                throw new KindFailureException($"template: the text is longer than {MaxLength} characters");
            _text.Append(buffer);
            if (_text.Length - _told >= Piece)
                Tell();
        }

        public string Finish()
        {
            Tell();
            return _text.ToString();
        }

        private void Tell()
        {
            int end = _text.Length;
            // Half of a surrogate pair is no text yet.
            if (end > _told && char.IsHighSurrogate(_text[end - 1]))
                end--;
            if (end > _told)
                delta(_text.ToString(_told, end - _told));
            _told = end;
        }
    }
}
