using Millstream.PostgreSql.Tests;

namespace Millstream.Crashes.Cycles;

/// <summary>Where the journals of the cycles are: files, or a server that may go away as well.</summary>
internal sealed class CrashStore : IDisposable
{
    public const string Sqlite = "sqlite", PostgreSql = "postgresql";

    private readonly PrivateServer? _server;

    public CrashStore(string kind) => _server = kind == PostgreSql ? PrivateServer.Start(FastFolder.Make()) : null;

    /// <summary>For its journals, and for what else the cycles need.</summary>
    public string Folder { get; } = FastFolder.Make();

    /// <summary>The folder of the workflow, where its tasks write files: in memory they may not.</summary>
    public string Home { get; } = Directory.CreateTempSubdirectory("millstream-").FullName;

    public bool HasServer => _server is not null;

    /// <summary>What <c>--journal</c> takes for the journal of this name.</summary>
    public string JournalOf(string name) => _server is null ? Path.Combine(Folder, $"{name}.db") : $"{_server.Url}?schema={name}";

    /// <summary>Kills the server and starts it again.</summary>
    public void CrashServer()
    {
        _server!.Crash();
        _server.StartAgain();
    }

    public void Dispose()
    {
        _server?.Dispose();
        Directory.Delete(Folder, recursive: true);
        Directory.Delete(Home, recursive: true);
    }
}
