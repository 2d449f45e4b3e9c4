namespace Millstream.Crashes;

/// <summary>A folder for what must not wait for a disk: in memory where the system offers that. What a kill leaves is the same there.</summary>
internal static class FastFolder
{
    public static string Make()
    {
        const string memory = "/dev/shm";
        return Directory.Exists(memory) ? Directory.CreateDirectory(Path.Combine(memory, $"millstream-{Guid.NewGuid():n}")).FullName : Directory.CreateTempSubdirectory("millstream-").FullName;
    }
}
