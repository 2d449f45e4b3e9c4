using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Millstream;

/// <summary>The tables, their version and how an older file becomes a newer one.</summary>
internal static class SqliteSchema
{
    /// <summary>The low bits of a record's place are its first number, the rest is its job's key, so a job's records lie together and in order.</summary>
    public const int NumberBits = 32;

    // "MStr": tells our files from those of other programs.
    private const long ApplicationId = 0x4D537472;
    private const int MinLibrary = 3_051_003;

    // Each brings a file from the version that is its index to the next one. What was released is never changed, only followed by another.
    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE jobs (
            key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, agent TEXT NOT NULL, version TEXT NOT NULL, status INTEGER NOT NULL, detail TEXT,
            tenant TEXT NOT NULL, priority INTEGER NOT NULL, weight REAL NOT NULL, created INTEGER NOT NULL, deadline INTEGER, ended INTEGER, due INTEGER,
            runner INTEGER NOT NULL, restarts INTEGER NOT NULL, epoch INTEGER NOT NULL, name TEXT, idle INTEGER NOT NULL, checkpoint INTEGER NOT NULL) STRICT;
        CREATE INDEX open_jobs ON jobs (runner) WHERE ended IS NULL;
        CREATE TABLE records (place INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE recent (row INTEGER PRIMARY KEY, place INTEGER NOT NULL, count INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX recent_places ON recent (place);
        CREATE TABLE inbox (number INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, kind INTEGER NOT NULL, sender TEXT, payload BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX inbox_senders ON inbox (job, sender);
        CREATE TABLE runners (number INTEGER PRIMARY KEY AUTOINCREMENT, process INTEGER NOT NULL, host TEXT NOT NULL, opened INTEGER NOT NULL) STRICT;
        """,
        """
        CREATE TABLE blobs (row INTEGER PRIMARY KEY, job INTEGER NOT NULL, hash TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX blobs_hashes ON blobs (job, hash);
        """,
    ];

    /// <summary>The version that this code writes.</summary>
    public static int Version => Migrations.Length;

    public static void CheckLibrary()
    {
        Batteries_V2.Init();
        CheckLibrary(raw.sqlite3_libversion_number(), raw.sqlite3_libversion().utf8_to_string());
    }

    public static void CheckLibrary(int number, string text)
    {
        if (number < MinLibrary)
            throw new JournalStorageException($"SQLite {text} is loaded; journals need 3.51.3 or later, since earlier ones can damage a file in WAL mode. "
                + "Use the SQLite that Microsoft.Data.Sqlite brings, or a newer one of the system.");
    }

    /// <summary>Makes the file ours, or finds out why it must not be.</summary>
    public static void Prepare(SqliteSession session, string path)
    {
        // Nothing is written before it is clear whose file it is. One snapshot, since another process may be making it just now.
        session.Run("BEGIN");
        long version = session.Number("PRAGMA user_version")!.Value, application = session.Number("PRAGMA application_id")!.Value;
        bool filled = session.Number("SELECT count(*) FROM sqlite_schema") != 0;
        session.Run("COMMIT");
        if (application != ApplicationId && (version != 0 || application != 0 || filled))
            throw new JournalStorageException($"{path} is a SQLite database of another program. Give another path for the journal.");
        if (version > Version)
            throw new JournalStorageException($"The journal {path} has version {version} and was written by a newer Millstream; this one knows versions up to {Version}. "
                + "Use that newer Millstream, or another path.");
        if (session.With("PRAGMA journal_mode = WAL").ExecuteScalar() is not "wal")
            throw new JournalStorageException($"The journal {path} cannot be put into WAL mode, as on network file systems. Give a path on a local disk.");
        SetUp(session);
        if (version < Version)
            Migrate(session);
    }

    private static void SetUp(SqliteSession session)
    {
        // A large WAL, because many jobs write the same pages again and again: each is copied into the file once in 64 MiB, not once in 4.
        foreach (string pragma in (string[])["synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 16000", "journal_size_limit = 67108864", "trusted_schema = OFF", "cell_size_check = ON"])
            session.Run($"PRAGMA {pragma}");
    }

    private static void Migrate(SqliteSession session)
    {
        session.Run("BEGIN IMMEDIATE");
        try
        {
            // Again, since another process may have been faster.
            for (long from = session.Number("PRAGMA user_version")!.Value; from < Version; from++)
            {
                using SqliteCommand command = session.Connection.CreateCommand();
                command.CommandText = $"{Migrations[from]} PRAGMA user_version = {from + 1}; PRAGMA application_id = {ApplicationId};";
                command.ExecuteNonQuery();
            }
            session.Run("COMMIT");
        }
        catch
        {
            if (raw.sqlite3_get_autocommit(session.Connection.Handle) == 0)
                session.Run("ROLLBACK");
            throw;
        }
    }
}
