using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace Millstream;

/// <summary>What PostgreSQL's errors mean to who runs the program: where, what happened, what to do. And which of them pass.</summary>
internal static class PostgreSqlFailures
{
    /// <summary>Raised by our functions: the row of the store object that writes is not there.</summary>
    public const string NoWriter = "MS001";

    private const string Schema = "3F000", Privilege = "42501", ReadOnly = "25006", Started = "57P03";

    public static JournalStorageException Of(Exception e, PostgreSqlAddress at) => e as JournalStorageException ?? new(Text(e, at), e);

    /// <summary>The error of a call that has waited for as long as it may.</summary>
    public static JournalStorageException Of(Exception e, PostgreSqlAddress at, TimeSpan waited) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Text(e, at)} It was tried again for {waited.TotalSeconds:0.#} s ({nameof(PostgreSqlJournalOptions)}.{nameof(PostgreSqlJournalOptions.Patience)})."), e);

    private static string Text(Exception e, PostgreSqlAddress at) => e switch
    {
        PostgresException { SqlState: var state } server => OfServer(server, state, at),
        NpgsqlException when Inner<TimeoutException>(e) is not null => $"PostgreSQL at {at.Server} did not answer in time ({at.Location}). Look whether the server is overloaded or the network "
            + "to it is cut; connect_timeout=… in the URL, or 'Command Timeout', makes the time longer.",
        NpgsqlException when Inner<SocketException>(e) is { } socket => OfSocket(socket, at),
        NpgsqlException when e.Message.Contains("password", StringComparison.OrdinalIgnoreCase) => $"PostgreSQL at {at.Server} wants a password of user {at.User}, and none was given. "
            + "Put it into the environment as PGPASSWORD, into ~/.pgpass, or into the URL (postgres://user:password@host/database).",
        NpgsqlException when Inner<IOException>(e) is not null => $"The connection to PostgreSQL at {at.Server} was lost ({Inner<IOException>(e)!.Message}) ({at.Location}). Look into the server's log.",
        _ => $"PostgreSQL at {at.Server} cannot be used: {e.Message} ({at.Location})",
    };

    /// <summary>Whether the same may work a little later.</summary>
    public static bool Passes(Exception e) => e switch
    {
        PostgresException { SqlState: var state } => state[..2] is "08" or "53" || state is "57P01" or "57P02" or Started or "57P04" or "57P05" or "57014" or "40001" or "40P01" or "55P03" or "55006" or "58030" or ReadOnly,
        NpgsqlException => Inner<TimeoutException>(e) is not null || Inner<SocketException>(e) is not null || Inner<IOException>(e) is not null,
        TimeoutException or IOException and not JournalStorageException or SocketException => true,
        _ => false,
    };

    /// <summary>Whether the server has said that the transaction was undone. Without that, one that was handed in may be stored.</summary>
    public static bool IsUndone(Exception e) => e is PostgresException { InvariantSeverity: "ERROR" };

    private static string OfServer(PostgresException e, string state, PostgreSqlAddress at) => state switch
    {
        "28P01" => $"PostgreSQL at {at.Server} does not take the password of user {at.User}. Look at the URL, PGPASSWORD and ~/.pgpass, in that order.",
        "28000" => $"PostgreSQL at {at.Server} does not let user {at.User} into database {at.Database}: {e.MessageText}. Give another user, or let this one in (pg_hba.conf, CREATE ROLE … LOGIN).",
        "3D000" => $"There is no database {at.Database} at {at.Server}. Create it (createdb {at.Database}), or name another one in the URL.",
        Privilege => $"User {at.User} may not do what a journal in {at.Location} needs: {e.MessageText}. Let its owner grant it: GRANT CREATE ON DATABASE {at.Database} TO {at.User}, or make that user the owner of the schema.",
        Schema or "42P01" or "42883" => $"The journal in {at.Location} is damaged or was removed while it was open: {e.MessageText}. Stop what uses it and open it again, or go on from a backup.",
        ReadOnly => $"PostgreSQL at {at.Server} takes no writes: it is a standby, or set read-only. Name the primary, or several hosts with target_session_attrs=primary.",
        Started => $"PostgreSQL at {at.Server} is starting or stopping: {e.MessageText}. Try again in a moment.",
        "53300" => $"PostgreSQL at {at.Server} has no connection left: {e.MessageText}. A process needs up to {PostgreSqlSessions.Most + 2}; raise max_connections, or set 'Maximum Pool Size' of others lower.",
        "53100" => $"The disk of PostgreSQL at {at.Server} is full: {e.MessageText}. Free some space there; `jobs prune` makes room inside the database.",
        "XX001" or "XX002" => $"The journal in {at.Location} is damaged: {e.MessageText}. Stop all that use it and go on from a backup.",
        _ => $"PostgreSQL at {at.Server} refused to work on the journal: {e.MessageText} (code {state}) ({at.Location})",
    };

    private static string OfSocket(SocketException e, PostgreSqlAddress at) => e.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => $"There is no host of {at.Server}: {e.Message} ({at.Location}). Look at the URL.",
        _ => $"No PostgreSQL answers at {at.Server}: {e.Message} ({at.Location}). Look whether it runs and whether host and port are right.",
    };

    private static T? Inner<T>(Exception e) where T : Exception
    {
        for (Exception? inner = e.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is T found)
                return found;
        }
        return null;
    }
}
