using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Millstream;

/// <summary>A connection whose statements stay prepared. Used by one thread at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _commands = [];

    public SqliteSession(string path, TimeSpan busy)
    {
        Connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = Math.Max(1, (int)busy.TotalSeconds),
        }.ConnectionString);
        Connection.Open();
    }

    public SqliteConnection Connection { get; }

    /// <summary>The statement with values for its parameters ?1, ?2 and so on.</summary>
    public SqliteCommand With(string sql, params ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out SqliteCommand? command))
        {
            command = Connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 1; i <= values.Length; i++)
                command.Parameters.Add(new SqliteParameter { ParameterName = string.Create(CultureInfo.InvariantCulture, $"?{i}") });
            _commands.Add(sql, command);
        }
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }

    /// <summary>Runs a statement that gives nothing.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> values) => With(sql, values).ExecuteNonQuery();

    /// <summary>The one number that a statement gives, or null.</summary>
    public long? Number(string sql, params ReadOnlySpan<object?> values) => With(sql, values).ExecuteScalar() is long value ? value : null;

    /// <summary>All rows of a statement.</summary>
    public List<T> Rows<T>(Func<SqliteDataReader, T> read, string sql, params ReadOnlySpan<object?> values)
    {
        List<T> rows = [];
        using SqliteDataReader reader = With(sql, values).ExecuteReader();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The array behind bytes, copied only where it has more around them.</summary>
    public static byte[] Blob(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment) && segment.Array!.Length == segment.Count ? segment.Array : bytes.ToArray();

    public void Dispose()
    {
        foreach (SqliteCommand command in _commands.Values)
            command.Dispose();
        Connection.Dispose();
    }
}
