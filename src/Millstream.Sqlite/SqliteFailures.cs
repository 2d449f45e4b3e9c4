using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>What SQLite's error codes mean to who runs the program: where, what happened, what to do.</summary>
internal static class SqliteFailures
{
    public const int Busy = 5, Locked = 6, Full = 13;

    private const int Perm = 3, ReadOnly = 8, IoError = 10, Corrupt = 11, CanNotOpen = 14, NotADatabase = 26;

    public static JournalStorageException Of(SqliteException e, string path, TimeSpan busy) => new(e.SqliteErrorCode switch
    {
        NotADatabase => $"{path} is not a SQLite database, or its beginning is damaged. Give another path for the journal, or move the file away.",
        Corrupt => $"The journal {path} is damaged ({e.Message}). Stop all processes that use it and copy it with its -wal file; then go on from a backup, or save what can be read "
            + $"with: sqlite3 {path} .recover",
        Full => $"There is no room left for the journal {path}: the disk or the quota is full. Free some space; `jobs prune` makes room inside the file.",
        ReadOnly or Perm or CanNotOpen => $"The journal {path} cannot be opened for writing ({e.Message}). The user of this process must be able to write the file, its -wal and -shm "
            + "files and their folder; give another path or change their permissions.",
        Busy or Locked => $"Another process has locked the journal {path} for more than {busy.TotalSeconds:0.#} s. Millstream never does so for long: look for a tool that has it open "
            + "in a transaction (sqlite3, a backup) and end it.",
        IoError => $"Reading or writing the journal {path} failed ({e.Message}, extended code {e.SqliteExtendedErrorCode}). Look into the system's log for faults of the disk.",
        _ => $"SQLite refused to work on the journal {path}: {e.Message} (extended code {e.SqliteExtendedErrorCode}).",
    }, e);

    /// <summary>Whether a row holds what was never written there, so that it cannot be read: bits of the file have changed.</summary>
    public static bool IsDamage(Exception e) => e is InvalidOperationException and not ObjectDisposedException or InvalidCastException or OverflowException or FormatException or ArgumentException;

    public static JournalStorageException Damaged(Exception e, string path) => new($"The journal {path} is damaged: a row of it cannot be read ({e.Message}). Stop all processes that use it and "
        + $"copy it with its -wal file; then go on from a backup, or save what can be read with: sqlite3 {path} .recover", e);

    public static JournalStorageException Of(Exception e, string path) =>
        new($"The journal {path} cannot be opened: {e.Message} The user of this process must be able to write its folder; give another path or change its permissions.", e);
}
