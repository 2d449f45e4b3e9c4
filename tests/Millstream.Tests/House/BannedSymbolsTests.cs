using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Threading.Channels;

namespace Millstream.Tests.House;

/// <summary>
/// Clocks, threads, ids and chance are handed into the core. A ban holds for one overload only, so the overloads are taken
/// from the runtime that the tests run on: one that a new runtime brings is missed here, not in use.
/// </summary>
public sealed class BannedSymbolsTests
{
    private static readonly string[] Banned =
        [.. Repository.Read("src/Millstream/BannedSymbols.txt").Split('\n').Select(l => l.Split(';')[0].Trim()).Where(l => l.Length > 0 && !l.StartsWith("//", StringComparison.Ordinal))];

    [Fact]
    public void BannedSymbols_HoldEveryClockThreadAndChance() =>
        Say.None(MustBeBanned().Select(DocId.Of).Distinct().Except(Banned).Select(id => $"src/Millstream/BannedSymbols.txt lacks {id}"));

    [Fact]
    public void BannedSymbols_AreOnceEachAndSayWhatToDoInstead()
    {
        Assert.Equal(Banned.Distinct(), Banned);
        Assert.All(Repository.Read("src/Millstream/BannedSymbols.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries), l => Assert.Matches("^([TMPF]:[^;]+;.+|//.*)$", l));
    }

    [Fact]
    public void BannedSymbols_AreErrors()
    {
        Assert.Contains("dotnet_diagnostic.RS0030.severity = error", Repository.Read(".editorconfig"));
        Assert.Contains("<AdditionalFiles Include=\"BannedSymbols.txt\" />", Repository.Read("src/Millstream/Millstream.csproj"));
    }

    private static IEnumerable<MemberInfo> MustBeBanned() =>
    [
        typeof(Stopwatch), typeof(Timer), typeof(PeriodicTimer), typeof(System.Timers.Timer), typeof(ThreadPool),
        .. Members(typeof(Guid), nameof(Guid.NewGuid), nameof(Guid.CreateVersion7)),
        .. Members(typeof(DateTime), nameof(DateTime.Now), nameof(DateTime.UtcNow), nameof(DateTime.Today)),
        .. Members(typeof(DateTimeOffset), nameof(DateTimeOffset.Now), nameof(DateTimeOffset.UtcNow)),
        .. Members(typeof(Environment), nameof(Environment.TickCount), nameof(Environment.TickCount64)),
        .. Members(typeof(Random), nameof(Random.Shared)),
        .. Members(typeof(Thread), nameof(Thread.Sleep)),
        .. Members(typeof(Task), nameof(Task.Run), nameof(Task.Factory), nameof(Task.Delay), nameof(Task.ConfigureAwait), nameof(Task.ContinueWith), nameof(Task.WhenEach), nameof(Task.WaitAsync)),
        .. Members(typeof(Task<>), nameof(Task.Factory), nameof(Task.ConfigureAwait), nameof(Task.ContinueWith), nameof(Task.WaitAsync)),
        .. Members(typeof(ValueTask), nameof(Task.ConfigureAwait)),
        .. Members(typeof(ValueTask<>), nameof(Task.ConfigureAwait)),
        .. Members(typeof(TaskAsyncEnumerableExtensions), nameof(Task.ConfigureAwait)),
        .. Members(typeof(ChannelReader<>), nameof(ChannelReader<>.ReadAllAsync)),
        .. Members(typeof(CancellationTokenSource), nameof(CancellationTokenSource.CancelAsync), nameof(CancellationTokenSource.CancelAfter)),
        .. typeof(CancellationTokenSource).GetConstructors().Where(c => c.GetParameters().Length == 1),
        .. Members(typeof(ConcurrentDictionary<,>), nameof(ConcurrentDictionary<,>.GetEnumerator)),
    ];

    /// <summary>The public members of these names, without the overloads that take a clock or no time at all.</summary>
    private static IEnumerable<MemberInfo> Members(Type type, params string[] names)
    {
        MemberInfo[] found = [.. type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).Where(m => names.Contains(m.Name))];
        Assert.Equal(names.Order(), found.Select(m => m.Name).Distinct().Order());
        return found.Where(m => m is not MethodBase method || !method.GetParameters().Any(p => p.ParameterType == typeof(TimeProvider))
            && (m.Name != nameof(Task.WaitAsync) || method.GetParameters().Any(p => p.ParameterType == typeof(TimeSpan))));
    }
}
