using System.CommandLine;

namespace Millstream.Cli.Jobs;

/// <summary>Which journal a command works on.</summary>
internal static class JournalPlace
{
    private const string FileName = "journal.db";

    public static Option<string?> Option { get; } = new("--journal")
    {
        Description = "The journal that keeps the jobs: a file, a folder that has journal.db, or postgres://user@host/database; ~/.local/share/millstream/journal.db unless said otherwise",
        HelpName = "PATH|URL",
    };

    /// <summary>The default journal: null where the user has no folder for data.</summary>
    public static string? Default
    {
        get
        {
            string? data = Environment.GetEnvironmentVariable("XDG_DATA_HOME");
            // A relative one is to be ignored, says the specification of these folders.
            if (!Path.IsPathFullyQualified(data ?? ""))
                data = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".local", "share")
                    : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            return string.IsNullOrEmpty(data) ? null : Path.Combine(data, "millstream", FileName);
        }
    }

    /// <summary>Opens the journal for a run, or makes it; null where the default one cannot be made, which is said.</summary>
    public static IJournalStorage? OpenOrMake(string? given, TextWriter error)
    {
        if (given is not null)
            return IsServer(given) ? OpenServer(given, mustExist: false) : new SqliteJournalStorage(FileOf(given));
        try
        {
            if (Default is { } path)
                return new SqliteJournalStorage(path);
            error.WriteLine("millstream: this job is kept in memory and ends with its process: neither XDG_DATA_HOME nor HOME is set; --journal PATH keeps it");
        }
        catch (JournalStorageException e) when (e.InnerException is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"millstream: this job is kept in memory and ends with its process, since {Path.GetDirectoryName(Default)} cannot be written; --journal PATH keeps it");
        }

        return null;
    }

    /// <summary>Opens a journal that is there; what only looks must not make one.</summary>
    public static IJournalStorage OpenKnown(string? given)
    {
        if (IsServer(given))
            return OpenServer(given!, mustExist: true);
        string path = given is not null ? FileOf(given)
            : Default ?? throw new CommandException("neither XDG_DATA_HOME nor HOME is set, so there is no default journal; give --journal PATH", ExitCode.Usage);
        return File.Exists(path) ? new SqliteJournalStorage(path)
            : throw new CommandException($"there is no journal {path}; 'millstream run' makes it{(given is null ? ", or give another one with --journal PATH" : $" with --journal {given}")}");
    }

    /// <summary>What a command needs behind it to find the same journal.</summary>
    public static string Argument(IJournalStorage journal) => journal.Location == Default ? ""
        // A shell would look for files, or run what comes after '&'.
        : journal.Location.AsSpan().ContainsAny('?', '&') && IsServer(journal.Location) ? $" --journal \"{journal.Location}\"" : $" --journal {journal.Location}";

    private static bool IsServer(string? given) => given is not null && (given.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || given.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase));

    private static PostgreSqlJournalStorage OpenServer(string url, bool mustExist)
    {
        try
        {
            return new PostgreSqlJournalStorage(url, new PostgreSqlJournalOptions { MustExist = mustExist });
        }
        catch (ArgumentException e)
        {
            throw new CommandException($"--journal: {StoredJobs.Plain(e)}", ExitCode.Usage);
        }
    }

    private static string FileOf(string given)
    {
        if (given.Length == 0)
            throw new CommandException("--journal is empty; give the path of a file", ExitCode.Usage);
        // As a path it would make a folder of that name, with the password in it.
        if (given.Contains("://", StringComparison.Ordinal) || given.StartsWith("postgres:", StringComparison.OrdinalIgnoreCase) || given.Contains("host=", StringComparison.OrdinalIgnoreCase))
            throw new CommandException("--journal is neither a path nor the URL of a PostgreSQL server, postgres://user@host:5432/database; a file of such a name is written ./NAME", ExitCode.Usage);
        return Path.GetFullPath(Directory.Exists(given) ? Path.Combine(given, FileName) : given);
    }
}
