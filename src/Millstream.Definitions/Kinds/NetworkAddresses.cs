using System.Net;
using System.Net.Sockets;

namespace Millstream.Definitions;

/// <summary>Which addresses belong to everybody's network and not to the host's own.</summary>
internal static class NetworkAddresses
{
    private static readonly IPNetwork[] Inner =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork[] Embedding = [IPNetwork.Parse("64:ff9b::/96"), IPNetwork.Parse("::/96")];

    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (Inner.Any(n => n.BaseAddress.AddressFamily == address.AddressFamily && n.Contains(address)))
            return false;
        if (address.AddressFamily is not AddressFamily.InterNetworkV6)
            return true;
        byte[] bytes = address.GetAddressBytes();
        // 6to4 and the translating prefixes carry an IPv4 address inside.
        if (bytes[0] == 0x20 && bytes[1] == 0x02)
            return IsPublic(new IPAddress(bytes.AsSpan(2, 4)));
        return !Embedding.Any(n => n.Contains(address)) || IsPublic(new IPAddress(bytes.AsSpan(12, 4)));
    }
}
