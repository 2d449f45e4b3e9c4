using System.Globalization;
using Npgsql;

namespace Millstream;

/// <summary>Where a server is and how it is spoken to: what a URL or a connection string says, and what journals need.</summary>
internal sealed class PostgreSqlAddress
{
    private static readonly string[] Schemes = ["postgres://", "postgresql://"];
    private static readonly string[] Secrets = ["password", "sslpassword"];

    // libpq's names of what Npgsql calls otherwise; its own names are taken as they are.
    private static readonly Dictionary<string, string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["dbname"] = "Database", ["user"] = "Username", ["sslmode"] = "SSL Mode", ["sslrootcert"] = "Root Certificate", ["sslcert"] = "SSL Certificate", ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password", ["sslnegotiation"] = "SSL Negotiation", ["channel_binding"] = "Channel Binding", ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name", ["target_session_attrs"] = "Target Session Attributes", ["passfile"] = "Passfile", ["require_auth"] = "Require Auth",
    };

    private PostgreSqlAddress(NpgsqlConnectionStringBuilder settings, string location, string? schema)
    {
        (Location, Schema) = (location, schema);
        Server = settings.Host!.StartsWith('/') ? $"the socket in {settings.Host}" : string.Create(CultureInfo.InvariantCulture, $"{settings.Host}:{settings.Port}");
        Database = settings.Database ?? settings.Username ?? Environment.UserName;
        User = settings.Username ?? Environment.GetEnvironmentVariable("PGUSER") ?? Environment.UserName;
        settings.ApplicationName ??= "millstream";
        // A dead connection is noticed, whatever the network tells.
        if (settings.KeepAlive == 0)
            settings.KeepAlive = 10;
        settings.TcpKeepAlive = true;
        settings.TcpKeepAliveTime = Math.Max(settings.TcpKeepAliveTime, 10);
        settings.NoResetOnClose = true;
        settings.MaxPoolSize = PostgreSqlSessions.Most + 2;
        settings.MinPoolSize = 0;
        settings.MaxAutoPrepare = Math.Max(settings.MaxAutoPrepare, 40);
        settings.AutoPrepareMinUsages = 2;
        settings.Enlist = false;
        settings.IncludeErrorDetail = false;
        // Whatever the server's, the database's and the user's defaults are.
        settings.Options = $"{settings.Options} -c synchronous_commit=on -c default_transaction_isolation=read\\ committed -c statement_timeout=0 -c lock_timeout=0".TrimStart();
        ConnectionString = settings.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>For people: a URL without secrets.</summary>
    public string Location { get; }

    public string Server { get; }

    public string Database { get; }

    public string User { get; }

    /// <summary>What the URL says; null where it says nothing.</summary>
    public string? Schema { get; }

    public static bool IsUrl(string text) => Schemes.Any(s => text.StartsWith(s, StringComparison.OrdinalIgnoreCase));

    /// <exception cref="ArgumentException">It cannot be understood; the message holds nothing secret.</exception>
    public static PostgreSqlAddress Parse(string text) => IsUrl(text) ? OfUrl(text) : OfConnectionString(text);

    private static PostgreSqlAddress OfConnectionString(string text)
    {
        NpgsqlConnectionStringBuilder settings = new();
        try
        {
            settings.ConnectionString = text;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            // The message of a value that does not fit could hold the value.
            throw new ArgumentException($"The connection string cannot be read ({(e.Message.StartsWith("Couldn't set", StringComparison.Ordinal) ? e.Message : "wrong key or form")}). "
                + "Give a URL as postgres://user@host:5432/database, or key=value pairs as Host=…;Username=…;Database=….", nameof(text));
        }
        if (string.IsNullOrEmpty(settings.Host))
            throw new ArgumentException("The connection string names no Host. Give Host=…;Username=…;Database=…, or a URL as postgres://user@host:5432/database.", nameof(text));
        string user = settings.Username is { } name ? $"{Uri.EscapeDataString(name)}@" : "", database = Uri.EscapeDataString(settings.Database ?? "");
        string location = settings.Host.StartsWith('/') ? $"postgres://{user}/{database}?host={Uri.EscapeDataString(settings.Host)}" : $"postgres://{user}{settings.Host}:{settings.Port}/{database}";
        return new PostgreSqlAddress(settings, location, null);
    }

    private static PostgreSqlAddress OfUrl(string url)
    {
        string rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        (string beforeQuery, string query) = Split(rest, '?');
        (string authority, string path) = Split(beforeQuery, '/');
        int at = authority.LastIndexOf('@');
        (string user, string password) = Split(at < 0 ? "" : authority[..at], ':');
        string host = authority[(at + 1)..];
        NpgsqlConnectionStringBuilder settings = new() { Host = "localhost" };
        int colon = host.LastIndexOf(':');
        if (colon >= 0 && !host.EndsWith(']') && !host.Contains(','))
        {
            settings.Port = int.TryParse(host[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and < 65536 ? port
                : throw Wrong("what stands after the host's ':' is no port");
            host = host[..colon];
        }
        if (host.Length > 0)
            settings.Host = Decoded(host).Trim('[', ']');
        if (user.Length > 0)
            settings.Username = Decoded(user);
        if (password.Length > 0)
            settings.Password = Decoded(password);
        if (path.Length > 0)
            settings.Database = Decoded(path);
        string? schema = null;
        List<string> shown = [];
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            (string name, string value) = Split(pair, '=');
            (name, value) = (Decoded(name), Decoded(value));
            if (!Secrets.Contains(name, StringComparer.OrdinalIgnoreCase))
                shown.Add(pair);
            if (name == "schema")
                schema = value;
            else
                Set(settings, name, value);
        }
        // Without the database's name the server takes the user's, as everywhere in PostgreSQL.
        string shownUser = at < 0 ? "" : $"{user}@";
        string location = $"postgres://{shownUser}{authority[(at + 1)..]}/{path}{(shown.Count > 0 ? "?" : "")}{string.Join('&', shown)}";
        return new PostgreSqlAddress(settings, location, schema);
    }

    private static void Set(NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        try
        {
            // A mode is verify-full in libpq and VerifyFull here.
            settings[Names.GetValueOrDefault(name, name)] = name == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            // What stands there may be the end of a password with a '?' in it, or a secret under a wrong name.
            throw Wrong(name.All(c => char.IsAsciiLetter(c) || c is '_' or ' ') ? $"'{name}' with its value is nothing that a connection takes" : "what stands after '?' is not name=value");
        }
    }

    private static (string Before, string After) Split(string text, char at) => text.IndexOf(at) is var i and >= 0 ? (text[..i], text[(i + 1)..]) : (text, "");

    private static string Decoded(string text) => Uri.UnescapeDataString(text);

    private static ArgumentException Wrong(string fault) =>
        new($"The URL of the journal cannot be used: {fault}. Write postgres://user:password@host:5432/database?schema=millstream&sslmode=require, with %40 for '@', %3A for ':' and %2F for '/' inside names and passwords; "
            + "all after the host may be left out.");
}
