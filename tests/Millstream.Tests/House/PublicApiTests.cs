using System.Reflection;
using System.Text;
using System.Xml.Linq;

namespace Millstream.Tests.House;

/// <summary>The public API of every library is one text file, so that a change to it shows in a review.</summary>
public sealed class PublicApiTests
{
    private const string Approved = "tests/PublicApi.approved.txt";
    private const string Received = "tests/PublicApi.received.txt";

    private static readonly Assembly[] Libraries = [typeof(LabelSelector).Assembly, typeof(Definitions.WorkflowFile).Assembly, typeof(SqliteJournalStorage).Assembly, typeof(PostgreSqlJournalStorage).Assembly, typeof(LlmAgent).Assembly, typeof(TestHost).Assembly];

    [Fact]
    public void PublicApi_IsAsApproved()
    {
        string now = string.Join('\n', Libraries.OrderBy(a => a.GetName().Name, StringComparer.Ordinal).Select(ApiText.Of));
        string approved = Path.Combine(Repository.Root, Approved), received = Path.Combine(Repository.Root, Received);
        if (Environment.GetEnvironmentVariable("MILLSTREAM_APPROVE") == "1")
            File.WriteAllText(approved, now);
        string before = File.Exists(approved) ? File.ReadAllText(approved).ReplaceLineEndings("\n") : "";
        if (now == before)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, now);
        string[] then = [.. InTheirTypes(before)], lines = [.. InTheirTypes(now)];
        Assert.Fail($"""
            The public API is not the one in {Approved}.
            {string.Join('\n', then.Except(lines).Take(20).Select(l => "- " + l).Concat(lines.Except(then).Take(20).Select(l => "+ " + l)))}
            The whole of it is in {Received}. If the change is meant, accept it:
              MILLSTREAM_APPROVE=1 ./test PublicApi
            """);
    }

    [Fact]
    public void InTheirTypes_SameMemberOfTwoTypes_IsTwoLines() =>
        Assert.Equal(["class A", "class A / int X", "class B", "class B / int X"], InTheirTypes("class A\n{\n    int X\n}\n\nclass B\n{\n    int X\n}\n"));

    [Fact]
    public void PublicApi_HoldsEveryLibrary() =>
        Assert.Equal(
            Repository.Files("src", "*.csproj").Select(XDocument.Load).Zip(Repository.Files("src", "*.csproj"))
                .Where(p => (string?)p.First.Descendants("IsPackable").FirstOrDefault() == "true" && !p.First.Descendants("PackAsTool").Any())
                .Select(p => Path.GetFileNameWithoutExtension(p.Second)).Order(),
            Libraries.Select(a => a.GetName().Name!).Order());

    [Theory]
    [InlineData(typeof(Sample<>), """
        public abstract class Sample<TKey> : IDisposable where TKey : notnull
        {
            public const int Most = 3
            public static readonly string? Name
            protected Sample(TKey key)
            public TKey Key { get; }
            public IReadOnlyDictionary<string, List<string?>?> Map { get; init; }
            public required string Must { get; init; }
            public int? Number { get; protected set; }
            public event Action<string>? Changed
            public void Dispose()
            public static T? Find<T>(string text, in int at, out T? found, DayOfWeek day = DayOfWeek.Monday, CancellationToken token = default) where T : class, new()
            public (int, string?) Pair(params string[] names)
            protected abstract Task<TKey?[]> RunCoreAsync(string name = "a\"b", double? much = null)
            public override string ToString()
        }

        """)]
    [InlineData(typeof(Line), """
        public sealed record Line : PublicApiTests.Base
        {
            public Line(int X, string? Y)
            public int X { get; init; }
            public string? Y { get; init; }
        }

        """)]
    public void ApiText_SaysWhatCSharpSays(Type type, string expected)
    {
        var text = new StringBuilder();
        ApiText.Write(text, type, "");
        Assert.Equal(expected, text.ToString());
    }

    /// <summary>Each line with the type that it belongs to, so that a difference says where it is.</summary>
    private static IEnumerable<string> InTheirTypes(string text)
    {
        string type = "";
        foreach (string line in text.Split('\n').Where(l => l.Trim() is not ("" or "{" or "}")))
            yield return line[0] == ' ' ? $"{type} / {line.Trim()}" : type = line;
    }

#pragma warning disable CS0067, CA1822 // Samples are looked at, never used.
    public abstract class Sample<TKey> : IDisposable where TKey : notnull
    {
        public const int Most = 3;
        public static readonly string? Name = null;
        internal int Hidden;
        protected Sample(TKey key) => Key = key;
        private protected Sample() => Key = default!;
        public event Action<string>? Changed;
        public TKey Key { get; }
        public int? Number { get; protected set; }
        public required string Must { get; init; }
        public IReadOnlyDictionary<string, List<string?>?> Map { get; init; } = new Dictionary<string, List<string?>?>();
        public void Dispose() => Hidden++;
        protected abstract Task<TKey?[]> RunCoreAsync(string name = "a\"b", double? much = null);
        public static T? Find<T>(string text, in int at, out T? found, DayOfWeek day = DayOfWeek.Monday, CancellationToken token = default) where T : class, new() => found = null;
        public (int Count, string? Text) Pair(params string[] names) => (names.Length, null);
        public override string ToString() => "";
    }

    public abstract record Base;

    public sealed record Line(int X, string? Y) : Base;
#pragma warning restore CS0067, CA1822
}
