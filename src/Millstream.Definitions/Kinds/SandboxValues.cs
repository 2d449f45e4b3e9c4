using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What is wrong with a sandbox.run beyond the types of its values, where it is a constant.</summary>
internal static class SandboxValues
{
    public static void Check(FaultList faults, MapValue with, string name)
    {
        if (Find(with, "command") is ListValue { Items.Count: 0 } command)
            faults.Add(command.Mark, $"{name}.with.command is empty; its first item is the program");
        foreach (MapValue mount in (Find(with, "mounts") as ListValue)?.Items.OfType<MapValue>() ?? [])
        {
            if (Find(mount, "path") is ConstantValue { Value.ValueKind: JsonValueKind.String } path && !IsInside(path.Value.GetString()!))
                faults.Add(path.Mark, $"{name}.with.mounts: the path '{path.Value.GetString()}' must begin with '/' and have no '..' in it; it is a place inside the sandbox");
        }
        if (Find(with, "limits") is not MapValue limits)
            return;
        DataType wanted = KindShape.BuiltIn["sandbox.run"].With.Fields["limits"].Type;
        Dictionary<string, ConstantValue> constants = limits.Entries
            .Where(e => e.Value is ConstantValue constant && wanted.Fields.TryGetValue(e.Key, out DataField? field) && !JsonTypes.Check(constant.Value, field.Type).Any())
            .ToDictionary(e => e.Key, e => (ConstantValue)e.Value, StringComparer.Ordinal);
        foreach ((string key, object value, string rule) in LimitFaults(Limits(JsonSerializer.SerializeToElement(constants.ToDictionary(c => c.Key, c => c.Value.Value)))))
        {
            ConstantValue written = constants[key];
            faults.Add(written.Mark, $"{name}.with.limits.{key} is {written.Written ?? value}; give {rule}");
        }
    }

    /// <summary>The limits that a task got under <c>with</c>.</summary>
    public static SandboxLimits Limits(JsonElement limits)
    {
        SandboxLimits none = new();
        return new SandboxLimits
        {
            Time = limits.Duration("time", none.Time),
            Memory = limits.Size("memory", none.Memory),
            Processes = limits.Whole("processes", none.Processes),
            Output = (int)Math.Clamp(limits.Size("output", none.Output), -1, int.MaxValue),
            Disk = limits.Size("disk", none.Disk),
            Required = limits.Find("required")?.GetBoolean() ?? none.Required,
        };
    }

    /// <summary>What cannot be held, by the keys of a file.</summary>
    public static IEnumerable<(string Key, object Value, string Rule)> LimitFaults(SandboxLimits limits) => limits.Faults().Select(f => (f.Name.ToLowerInvariant(), f.Value, f.Rule));

    private static bool IsInside(string path) => path.Length > 1 && path[0] == '/' && !path.Split('/').Contains("..");

    private static ValueNode? Find(MapValue map, string key) => map.Entries.FirstOrDefault(e => e.Key == key).Value;
}
