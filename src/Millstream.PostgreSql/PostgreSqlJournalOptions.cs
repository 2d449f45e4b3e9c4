using System.Text.RegularExpressions;

namespace Millstream;

/// <summary>How a <see cref="PostgreSqlJournalStorage"/> behaves.</summary>
public sealed partial record PostgreSqlJournalOptions
{
    /// <summary>The schema of the database that holds the journals: small letters, digits and <c>_</c>. A URL with <c>?schema=…</c> goes before it.</summary>
    public string Schema { get; init; } = "millstream";

    /// <summary>
    /// How long a runner that is not heard of is taken for living, 1 s or more. It says that it lives three times in that time. A process that was killed is known to be dead
    /// after this time, and at once to those on the same machine.
    /// </summary>
    public TimeSpan RunnerTtl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a call waits for a server that has gone away before it fails. Opening does not wait.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether opening fails where there is no journal, instead of making one.</summary>
    public bool MustExist { get; init; }

    /// <summary>After what time who waits for a change looks by himself. A runner that dies tells nobody.</summary>
    internal TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(1);

    internal PostgreSqlJournalOptions Checked()
    {
        CheckSchema(Schema);
        if (RunnerTtl < TimeSpan.FromSeconds(1) || RunnerTtl > TimeSpan.FromDays(1))
            throw new ArgumentException($"{nameof(RunnerTtl)} is {RunnerTtl}; give 1 s to 1 day.");
        if (Patience < TimeSpan.Zero || Patience > TimeSpan.FromDays(1))
            throw new ArgumentException($"{nameof(Patience)} is {Patience}; give 0 to 1 day.");
        return this;
    }

    private static void CheckSchema(string schema)
    {
        // It stands in the text of statements as it is.
        if (!Name().IsMatch(schema) || schema.StartsWith("pg_", StringComparison.Ordinal))
            throw new ArgumentException($"{nameof(Schema)} is '{schema}'; give a name of small letters, digits and '_', at most 40, that begins with a letter and not with 'pg_'.");
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,39}\z")]
    private static partial Regex Name();
}
