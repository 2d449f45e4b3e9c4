namespace Millstream.Tests.Sandboxes;

/// <summary>A folder of the host for one test.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder(int mode = 0x1ED)
    {
        Path = Directory.CreateTempSubdirectory("millstream-test-").FullName;
        SetMode(Path, mode);
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public static void SetMode(string path, int mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, (UnixFileMode)mode);
    }

    public void Dispose() => Directory.Delete(Path, true);
}
