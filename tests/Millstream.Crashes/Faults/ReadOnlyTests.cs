using System.Runtime.InteropServices;
using System.Text.Json;
using Millstream.Crashes.Cycles;

namespace Millstream.Crashes.Faults;

/// <summary>Folders and files that a user may not write. Root may write everywhere, so a thread takes the rights of another user.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed partial class ReadOnlyTests : IDisposable
{
    private const int Nobody = 65534;
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, Enterable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly string _folder = FastFolder.Make();

    private string Journal => Path.Combine(_folder, "journal.db");

    public void Dispose()
    {
        File.SetUnixFileMode(_folder, Enterable | UnixFileMode.UserWrite);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Open_NewJournalInAReadOnlyFolder_SaysSo()
    {
        File.SetUnixFileMode(_folder, Enterable);
        Assert.Contains("must be able to write", (await RefusalAsync()).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData(Readable)]
    [InlineData(UnixFileMode.None)]
    public async Task Open_JournalThatIsNotTheirs_SaysSoAndTheOwnerGoesOn(UnixFileMode mode)
    {
        JobId id = Runtime.Id(0);
        await using (IJournalStorage store = Runtime.Open(Journal))
        await using (AgentOrchestrator orchestrator = Runtime.Make(store))
        {
            await orchestrator.StartAsync();
            Job job = await orchestrator.CreateJobAsync("plan", JsonSerializer.SerializeToElement("in"), new JobOptions { Id = id });
            await Teller.TellAsync(job, _ => { });
            Assert.IsType<JobEnding.Completed>(await job.Ending);
        }
        byte[] before = await File.ReadAllBytesAsync(Journal);
        File.SetUnixFileMode(Journal, mode);
        File.SetUnixFileMode(_folder, Enterable);
        Assert.Contains("permissions", (await RefusalAsync()).Message, StringComparison.Ordinal);
        File.SetUnixFileMode(_folder, Enterable | UnixFileMode.UserWrite);
        File.SetUnixFileMode(Journal, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(before, await File.ReadAllBytesAsync(Journal));
        await using IJournalStorage again = Runtime.Open(Journal);
        Assert.Equal(JobStatus.Completed, (await again.FindAsync(id))!.Status);
    }

    /// <summary>What a user hears who is not root and opens the journal.</summary>
    private async Task<JournalStorageException> RefusalAsync()
    {
        // What the thread needs of the program is loaded while it may read it.
        string first = FastFolder.Make();
        await using (SqliteJournalStorage store = new(Path.Combine(first, "journal.db")))
            Assert.ThrowsAny<Exception>(() => new SqliteJournalStorage(first));
        Directory.Delete(first, recursive: true);
        Exception? thrown = null;
        Thread thread = new(() =>
        {
            if (Environment.IsPrivilegedProcess)
                _ = SetFileUser(Nobody);
            thrown = Record.Exception(() => new SqliteJournalStorage(Journal));
        });
        thread.Start();
        thread.Join();
        JournalStorageException refused = Assert.IsType<JournalStorageException>(thrown);
        Assert.Contains(Journal, refused.Message, StringComparison.Ordinal);
        return refused;
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileUser(int user);
}
