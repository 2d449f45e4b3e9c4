using System.Net;

namespace Millstream;

/// <summary>What an address says of who may read along.</summary>
internal static class WebAddress
{
    /// <summary>Whether a secret may be sent there: over TLS, or without leaving this machine.</summary>
    public static bool HidesSecrets(Uri address) => address.Scheme == Uri.UriSchemeHttps || string.Equals(address.IdnHost, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.IdnHost, out IPAddress? ip) && IPAddress.IsLoopback(ip));
}
