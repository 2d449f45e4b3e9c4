using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millstream.Crashes.Disk;

/// <summary>Kinds of calls that the shim knows, as <c>shim.c</c> numbers them.</summary>
[Flags]
internal enum DiskCall
{
    Create = 1, Write = 2, Truncate = 4, Sync = 8, Unlink = 16, Rename = 32, MakeFolder = 64, Open = 128, Map = 256, Read = 512, Mark = 1024,
    Changes = Create | Write | Truncate | Sync | Unlink | Rename | MakeFolder,
}

/// <summary>What stands between a process and its disk: compiled here, loaded with LD_PRELOAD, told what to do from inside.</summary>
internal static partial class Shim
{
    private const string Library = "millstream-disk-shim";
    private static readonly Lazy<(string? Path, string? Why)> Built = new(Build);

    /// <summary>Runs <c>disk MODE …</c> of this program behind the shim, to its end.</summary>
    public static async Task<string> RunAsync(params string[] args)
    {
        if (Built.Value.Path is not { } library)
        {
            Assert.Skip(Built.Value.Why!);
            return "";
        }
        ProcessStartInfo start = new("dotnet", [typeof(Shim).Assembly.Location, "disk", .. args]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LD_PRELOAD"] = library;
        start.Environment["MILLSTREAM_DISK_SHIM"] = library;
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
            string said = await output;
            Assert.True(process.ExitCode == 0, $"disk {string.Join(' ', args)} ended with {process.ExitCode}; it said last:\n{string.Join('\n', said.Split('\n')[^Math.Min(20, said.Split('\n').Length)..])}\n{await error}");
            return said;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>For the process behind it: finds the library that is loaded already.</summary>
    public static void Load()
    {
        nint shim = NativeLibrary.Load(Environment.GetEnvironmentVariable("MILLSTREAM_DISK_SHIM")!);
        NativeLibrary.SetDllImportResolver(typeof(Shim).Assembly, (name, _, _) => name == Library ? shim : 0);
        // What the store asks libc for by name would go past what was loaded before it.
        NativeLibrary.SetDllImportResolver(typeof(SqliteJournalStorage).Assembly, (name, _, _) => name == "libc" ? shim : 0);
    }

    [LibraryImport(Library, EntryPoint = "disk_watch", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Watch(string prefix);

    [LibraryImport(Library, EntryPoint = "disk_trace", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Trace(string file);

    [LibraryImport(Library, EntryPoint = "disk_fail")]
    public static partial void Fail(int at, int count, int error, DiskCall kinds);

    [LibraryImport(Library, EntryPoint = "disk_calls")]
    public static partial int Calls();

    [LibraryImport(Library, EntryPoint = "disk_failures")]
    public static partial int Failures();

    /// <summary>The call that failed last.</summary>
    public static string Failed() => Marshal.PtrToStringUTF8(FailedCall())!;

    /// <summary>Writes a word of ours among the calls.</summary>
    public static void Mark(string text)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        Mark(bytes, bytes.Length);
    }

    [LibraryImport(Library, EntryPoint = "disk_failed")]
    private static partial nint FailedCall();

    [LibraryImport(Library, EntryPoint = "disk_mark")]
    private static partial void Mark(byte[] bytes, int size);

    private static (string?, string?) Build()
    {
        if (!OperatingSystem.IsLinux())
            return (null, "LD_PRELOAD is for Linux");
        string[] compilers = ["cc", "gcc", "clang"];
        string? compiler = compilers.FirstOrDefault(c => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, c))));
        if (compiler is null)
            return (null, "there is no C compiler (cc, gcc or clang) to make the shim with");
        string library = Path.Combine(Directory.CreateTempSubdirectory("millstream-shim-").FullName, "shim.so");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(library)!, recursive: true);
        using Process process = Process.Start(new ProcessStartInfo(compiler, ["-O2", "-shared", "-fPIC", "-o", library, Path.Combine(AppContext.BaseDirectory, "Disk", "shim.c"), "-ldl"]) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? (library, null) : throw new InvalidOperationException($"{compiler} does not compile the shim: {error}");
    }
}
