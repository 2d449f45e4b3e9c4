using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>A host that the workflow's author wrote into 'url' is allowed even where it is not public; one from data is not.</summary>
internal static class NamedHosts
{
    public static MapValue Allow(MapValue with)
    {
        if (HostOf(with.Entries.FirstOrDefault(e => e.Key == "url").Value) is not { } host)
            return with;
        var named = new ConstantValue(with.Mark, JsonSerializer.SerializeToElement(host), null);
        (string Key, Mark KeyMark, ValueNode Value) given = with.Entries.FirstOrDefault(e => e.Key == "allow_hosts");
        if (given.Value is not (null or ListValue))
            return with;
        var all = new ListValue(with.Mark, [.. (given.Value as ListValue)?.Items ?? [], named]);
        return with with { Entries = [.. with.Entries.Where(e => e.Key != "allow_hosts"), ("allow_hosts", with.Mark, all)] };
    }

    private static string? HostOf(ValueNode? url)
    {
        string text = url switch
        {
            ConstantValue { Value.ValueKind: JsonValueKind.String } constant => constant.Value.GetString()!,
            // The host is complete only when the text goes on behind it before the first expression.
            TextValue { Parts: [{ Placed: null } first, ..] } => Whole(first.Literal),
            _ => "",
        };
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 ? uri.DnsSafeHost : null;
    }

    private static string Whole(string start)
    {
        int scheme = start.IndexOf("://", StringComparison.Ordinal);
        int end = scheme < 0 ? -1 : start.IndexOfAny(['/', '?', '#'], scheme + 3);
        return end < 0 ? "" : start[..end];
    }
}
