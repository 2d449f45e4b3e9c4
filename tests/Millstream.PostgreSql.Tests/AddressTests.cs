using Npgsql;

namespace Millstream.PostgreSql.Tests;

/// <summary>URLs and connection strings: what they mean, what people are shown of them.</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("postgres://u:p%40ss@h:5433/d?sslmode=verify-full&connect_timeout=3&schema=s", "u,p@ss,h,5433,d", "postgres://u@h:5433/d?sslmode=verify-full&connect_timeout=3&schema=s", "s")]
    [InlineData("postgresql://h", ",,h,5432,", "postgres://h/", null)]
    [InlineData("POSTGRES://u@/d", "u,,localhost,5432,d", "postgres://u@/d", null)]
    [InlineData("postgres://u@/d?host=/tmp/x&password=secret&port=7", "u,secret,/tmp/x,7,d", "postgres://u@/d?host=/tmp/x&port=7", null)]
    [InlineData("postgres://%2Ftmp%2Fx/d", ",,/tmp/x,5432,d", "postgres://%2Ftmp%2Fx/d", null)]
    [InlineData("postgres://u:p@x@h/d", "u,p@x,h,5432,d", "postgres://u@h/d", null)]
    [InlineData("postgres://[::1]:77/d", ",,::1,77,d", "postgres://[::1]:77/d", null)]
    [InlineData("Host=h;Username=u;Password=secret;Database=d;Port=7", "u,secret,h,7,d", "postgres://u@h:7/d", null)]
    [InlineData("Host=/tmp/x;Database=d", ",,/tmp/x,5432,d", "postgres:///d?host=%2Ftmp%2Fx", null)]
    public void Parse_FindsAllAndHidesThePassword(string text, string parts, string location, string? schema)
    {
        PostgreSqlAddress address = PostgreSqlAddress.Parse(text);
        NpgsqlConnectionStringBuilder settings = new(address.ConnectionString);
        Assert.Equal(parts, $"{settings.Username},{settings.Password},{settings.Host},{settings.Port},{settings.Database}");
        Assert.Equal((location, schema), (address.Location, address.Schema));
        Assert.Equal(location, PostgreSqlAddress.Parse(address.Location).Location);
    }

    [Theory]
    [InlineData("postgres://u:secret@h:x/d", "is no port")]
    [InlineData("postgres://u:sec/ret@h/d", "is no port")]
    [InlineData("postgres://u:1?secret@h/d", "is not name=value")]
    [InlineData("postgres://u@h/d?sslmode=secret", "'sslmode'")]
    [InlineData("postgres://u@h/d?colour=secret", "'colour'")]
    [InlineData("postgres://u@h/d?pasword=secret", "'pasword'")]
    [InlineData("Host=h;Pasword=secret", "connection string")]
    [InlineData("Host=h;Port=secret", "connection string")]
    [InlineData("Username=u;Password=secret", "names no Host")]
    [InlineData("secret", "connection string")]
    public void Parse_OfWhatItCannotBe_SaysWhatToWriteAndNothingSecret(string text, string word)
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => PostgreSqlAddress.Parse(text));
        Assert.Contains(word, thrown.Message, StringComparison.Ordinal);
        Assert.Contains("postgres://", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", thrown.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("ret@", thrown.ToString(), StringComparison.Ordinal);
    }
}
