using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What stands under <c>with</c> as references to secrets: what is journaled and shown is the reference, and the value is read when the task runs.</summary>
internal static class SecretReferences
{
    private static readonly (string Kind, string Key)[] Keys = [("sandbox.run", "secrets"), ("http.get", "secret_headers"), ("mcp", "secrets"), ("mcp", "secret_headers")];

    /// <summary>Finds constants that are no references before anything runs. The message does not repeat them, since one may be the secret.</summary>
    public static void Check(FaultList faults, string? kind, MapValue with, string name)
    {
        foreach ((_, string key) in Keys.Where(k => k.Kind == kind))
        {
            foreach ((string entry, _, ValueNode value) in (with.Entries.FirstOrDefault(e => e.Key == key).Value as MapValue)?.Entries ?? [])
            {
                if (value is ConstantValue { Value: { ValueKind: JsonValueKind.String } text } && Fault(text.GetString()!) is { } fault)
                    faults.Add(value.Mark, $"{name}.with.{key}.{entry}: {fault}");
            }
        }
    }

    /// <summary>The names and values of a map of references, read now.</summary>
    /// <exception cref="TerminalTaskException">One is no reference.</exception>
    /// <exception cref="SecretMissingException">One has no value in this process; the task waits for it.</exception>
    public static IEnumerable<(string Name, string Text)> Secrets(this JsonElement with, string kind, string key, TaskContext context)
    {
        foreach ((string name, string text) in with.TextMap(key))
        {
            if (Fault(text) is { } fault)
                throw new TerminalTaskException($"{kind}: {key}.{name}: {fault}");
            yield return (name, context.Reveal(Secret.Parse(text)));
        }
    }

    private static string? Fault(string text)
    {
        try
        {
            Secret.Parse(text);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }
}
