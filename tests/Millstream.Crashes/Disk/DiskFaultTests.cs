using System.Text.RegularExpressions;

namespace Millstream.Crashes.Disk;

/// <summary>Each call to the disk failing in turn, and a disk that is full while jobs run.</summary>
public sealed class DiskFaultTests : IDisposable
{
    private readonly string _folder = FastFolder.Make();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Store_EachCallFails_IsToldOrRecoversAndLosesNothing()
    {
        string said = await Shim.RunAsync("faults", _folder);
        MatchCollection all = Regex.Matches(said, @"^= (.*): (\d+) calls; (\d+) told, (\d+) recovered, (\d+) syncs", RegexOptions.Multiline);
        Assert.Equal(7, all.Count);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', all.Select(m => m.Value)));
        Assert.All(all, m => Assert.True(int.Parse(m.Groups[2].Value) > 3, m.Value));
        Assert.All(all.Take(2), m => Assert.True(int.Parse(m.Groups[2].Value) > 40 && int.Parse(m.Groups[5].Value) > 3, m.Value));
    }

    [Fact]
    public async Task Jobs_DiskFullWhileTheyRun_AllAreToldAndGoOnAfterwards()
    {
        string said = await Shim.RunAsync("full", _folder);
        Assert.Matches(@"= 25 were told", said);
    }
}
