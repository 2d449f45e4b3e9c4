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
        foreach ((string key, _, ValueNode value) in limits.Entries)
        {
            if (value is ConstantValue { Value.ValueKind: JsonValueKind.Number } number && number.Value.GetDouble() < 1)
                faults.Add(number.Mark, $"{name}.with.limits.{key} must be at least 1, this is {number.Value}");
        }
    }

    private static bool IsInside(string path) => path.Length > 1 && path[0] == '/' && !path.Split('/').Contains("..");

    private static ValueNode? Find(MapValue map, string key) => map.Entries.FirstOrDefault(e => e.Key == key).Value;
}
