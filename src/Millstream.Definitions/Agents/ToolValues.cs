using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>What is wrong with the settings of a tool beyond the types of its values.</summary>
internal static class ToolValues
{
    public static void Check(FaultList faults, string use, MapValue with, string name)
    {
        ValueRanges.Check(faults, use, with, name);
        SecretReferences.Check(faults, use, with, name);
        switch (use)
        {
            case "sandbox.run":
                SandboxValues.Check(faults, with, name);
                break;
            case "http.get":
                Hosts(faults, with, name);
                break;
            case "mcp":
                Server(faults, with, name);
                Folder(faults, with, name);
                break;
            case "file.read" or "file.write" or "file.list":
                Folder(faults, with, name);
                break;
        }
        Twice(faults, with, "env", "secrets", StringComparer.Ordinal, name);
        Twice(faults, with, "headers", "secret_headers", StringComparer.OrdinalIgnoreCase, name);
    }

    private static void Folder(FaultList faults, MapValue with, string name)
    {
        if (Find(with, "folder") is ConstantValue { Value: { ValueKind: JsonValueKind.String } folder } placed && InnerPath.Fault(folder.GetString()!) is { } fault)
            faults.Add(placed.Mark, $"{name}.with.folder '{folder.GetString()}' {fault}");
    }

    private static void Hosts(FaultList faults, MapValue with, string name)
    {
        ListValue? hosts = Find(with, "allow_hosts") as ListValue;
        foreach (ConstantValue host in (hosts?.Items ?? []).OfType<ConstantValue>())
        {
            if (Uri.CheckHostName(host.Value.GetString()) == UriHostNameType.Unknown)
                faults.Add(host.Mark, $"{name}.with.allow_hosts: '{host.Value.GetString()}' is no name or address of a host; write it without scheme, port and path");
        }
        // The model says where to go, so without a list it could send them anywhere.
        if (Find(with, "secret_headers") is MapValue { Entries.Count: > 0 } secrets && hosts is not { Items.Count: > 0 })
            faults.Add(secrets.Mark, $"{name}.with.secret_headers needs 'allow_hosts', the hosts that get them");
        if (Find(with, "public") is ConstantValue { Value.ValueKind: JsonValueKind.False } closed && hosts is not { Items.Count: > 0 })
            faults.Add(closed.Mark, $"{name}.with.public is false and 'allow_hosts' names no host, so nothing could be fetched");
    }

    private static void Server(FaultList faults, MapValue with, string name)
    {
        bool isProcess = Find(with, "command") is not null, isAddress = Find(with, "url") is not null;
        if (isProcess == isAddress)
            faults.Add(with.Mark, $"{name}.with needs either 'command', the program of the server, or 'url', its address{(isProcess ? ", not both" : "")}");
        if (Find(with, "command") is ListValue { Items.Count: 0 } command)
            faults.Add(command.Mark, $"{name}.with.command is empty; its first item is the program");
        if (Find(with, "url") is ConstantValue { Value: { ValueKind: JsonValueKind.String } url } address && !(Uri.TryCreate(url.GetString(), UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"))
            faults.Add(address.Mark, $"{name}.with.url: '{url.GetString()}' is no http or https address");
        foreach ((string key, Mark mark, _) in with.Entries)
        {
            if (key is "env" or "secrets" or "folder" && !isProcess || key is "headers" or "secret_headers" && !isAddress)
                faults.Add(mark, $"{name}.with.{key} goes with '{(isProcess ? "url" : "command")}' only");
        }
    }

    private static void Twice(FaultList faults, MapValue with, string open, string secret, StringComparer comparer, string name)
    {
        HashSet<string> names = ((Find(with, open) as MapValue)?.Entries ?? []).Select(e => e.Key).ToHashSet(comparer);
        foreach ((string key, Mark mark, _) in ((Find(with, secret) as MapValue)?.Entries ?? []).Where(e => names.Contains(e.Key)))
            faults.Add(mark, $"{name}.with.{secret}.{key} stands under '{open}', too; leave one of them out");
    }

    private static ValueNode? Find(MapValue map, string key) => map.Entries.FirstOrDefault(e => e.Key == key).Value;
}
