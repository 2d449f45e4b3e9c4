using System.Text.Json;
using Fluid;

namespace Millstream.Definitions;

/// <summary>Templates in Liquid: data, loops and conditions, no code.</summary>
internal static class TemplateText
{
    private static readonly FluidParser Parser = new();

    /// <summary>Finds faults of a template before anything runs.</summary>
    public static void Check(ReadContext context, MapValue with, string name)
    {
        ValueNode[] given = [.. with.Entries.Where(e => e.Key is "text" or "file").Select(e => e.Value)];
        if (given.Length != 1)
            context.Faults.Add(with.Mark, $"{name}.with needs either 'text' or 'file', the template");
        if (given.Length == 0 || given[0] is not ConstantValue { Value: { ValueKind: JsonValueKind.String } value })
            return;
        string text = value.GetString()!;
        if (with.Entries.Any(e => e.Key == "file"))
        {
            try
            {
                text = WorkflowFile.Load(Path.Combine(Path.GetDirectoryName(context.Path) ?? "", text), context.Limits);
            }
            catch (WorkflowFileException e)
            {
                context.Faults.Add(given[0].Mark, $"{name}.with.file: {e.Faults[0].Message}");
                return;
            }
        }
        if (!Parser.TryParse(text, out _, out string? error))
            context.Faults.Add(given[0].Mark, $"{name}: the template cannot be read: {error}");
    }
}
