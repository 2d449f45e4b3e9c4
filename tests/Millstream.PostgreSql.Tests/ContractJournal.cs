namespace Millstream.PostgreSql.Tests;

/// <summary>A schema of its own for a class that already is what a contract asks.</summary>
internal sealed class ContractJournal : PostgreSqlTest
{
    public IJournalStorage OpenOne() => Open();

    /// <summary>Runs a statement in which <c>{0}</c> stands for the schema.</summary>
    public Task RunAsync(string sql) => SqlAsync(sql.Replace("{0}", Schema, StringComparison.Ordinal));
}
