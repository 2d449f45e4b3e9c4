using System.Globalization;
using Npgsql;

namespace Millstream;

/// <summary>The version of the schema, and how it is made or brought up to date.</summary>
internal static class PostgreSqlSchema
{
    // 15 is the oldest that the tests run on.
    private const int MinServer = 150_000;

    // "MStr", so that our lock is nobody else's; the second half of its key is the schema's.
    private const int LockClass = 0x4D537472;

    /// <summary>The version that this code writes.</summary>
    public static int Version => PostgreSqlMigrations.All.Length;

    /// <summary>Makes the journal or brings it up to date, or finds out why it must not be. Blocks.</summary>
    public static void Prepare(NpgsqlConnection connection, PostgreSqlAddress at, PostgreSqlJournalOptions options)
    {
        CheckServer(connection.PostgreSqlVersion, at);
        if (Text(connection, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()") is not "UTF8" and var encoding)
            throw new JournalStorageException($"Database {at.Database} at {at.Server} has encoding {encoding}, which cannot hold every text. Create one with: createdb --encoding=UTF8 --template=template0 {at.Database}2");
        int version = Read(connection, at, options);
        if (version == Version)
            return;
        if (version == 0 && options.MustExist)
            throw new JournalStorageException($"There is no journal in {at.Location} (schema {options.Schema}). Look at the URL; the first run with it makes one.");
        Migrate(connection, at, options);
    }

    public static void CheckServer(Version server, PostgreSqlAddress at)
    {
        if ((server.Major * 10_000) + server.Minor < MinServer)
            throw new JournalStorageException($"PostgreSQL at {at.Server} is version {server}; journals need {MinServer / 10_000} or later. Upgrade the server, or name another one.");
    }

    /// <summary>The version of the journal there; 0 where there is none.</summary>
    private static int Read(NpgsqlConnection connection, PostgreSqlAddress at, PostgreSqlJournalOptions options)
    {
        string schema = options.Schema;
        // By a query and not by to_regclass: inside a transaction that one may answer from a cache what was so before it got the lock.
        if (Text(connection, $"SELECT 'there' FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{schema}') AND relname = 'version'") is null)
            return 0;
        int version = int.Parse(Text(connection, $"SELECT max(number)::text FROM {schema}.version") ?? "0", CultureInfo.InvariantCulture);
        return version <= Version ? version
            : throw new JournalStorageException($"The journal in {at.Location} (schema {schema}) has version {version} and was written by a newer Millstream; this one knows versions up to {Version}. Use that newer Millstream, or another schema.");
    }

    private static void Migrate(NpgsqlConnection connection, PostgreSqlAddress at, PostgreSqlJournalOptions options)
    {
        string schema = options.Schema;
        using NpgsqlTransaction transaction = connection.BeginTransaction();
        // Of several that start at once one does it; the others find it done.
        Run(connection, $"SELECT pg_advisory_xact_lock({LockClass}, hashtext('{schema}'))");
        int from = Read(connection, at, options);
        if (from == 0)
        {
            // Under the lock only: it may be filled just now.
            if (Text(connection, $"SELECT relname::text FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{schema}') LIMIT 1") is { } other)
                throw new JournalStorageException($"Schema {schema} of {at.Location} belongs to another program: it holds {other}. Give another one: ?schema=NAME in the URL.");
            // Asked for first, since who may use the schema need not be allowed to make one.
            if (Text(connection, $"SELECT nspname::text FROM pg_namespace WHERE nspname = '{schema}'") is null)
                Run(connection, $"CREATE SCHEMA {schema}");
            Run(connection, $"CREATE TABLE {schema}.version (number integer NOT NULL)");
        }
        for (; from < Version; from++)
            Run(connection, PostgreSqlMigrations.All[from].Replace("S.", $"{schema}.", StringComparison.Ordinal));
        Run(connection, $"DELETE FROM {schema}.version; INSERT INTO {schema}.version VALUES ({Version})");
        transaction.Commit();
    }

    private static void Run(NpgsqlConnection connection, string sql)
    {
        using NpgsqlCommand command = new(sql, connection);
        command.ExecuteNonQuery();
    }

    private static string? Text(NpgsqlConnection connection, string sql)
    {
        using NpgsqlCommand command = new(sql, connection);
        return command.ExecuteScalar() as string;
    }
}
