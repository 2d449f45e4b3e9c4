using System.Runtime.InteropServices;
using System.Text;

namespace Millstream;

/// <summary>Starts a program with exactly the descriptors, environment and signals that are given, from the thread that calls.</summary>
internal static unsafe partial class PosixSpawn
{
    private const short SetProcessGroup = 2, SetDefaultSignals = 4, SetSignalMask = 8;

    // Larger than either structure is in any C library.
    private const int StructureSize = 1024;

    // musl has none; then the descriptors that are open are closed one by one.
    private static readonly bool s_hasCloseFrom =
        NativeLibrary.TryLoad("libc", typeof(PosixSpawn).Assembly, null, out nint libc) && NativeLibrary.TryGetExport(libc, "posix_spawn_file_actions_addclosefrom_np", out _);

    /// <summary>Starts it; the n-th descriptor becomes number n in the program, all others are closed. As another user where one is named, if root.</summary>
    public static int Start(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, IReadOnlyList<int> descriptors, int? user = null)
    {
        byte* actions = stackalloc byte[StructureSize], attributes = stackalloc byte[StructureSize], signals = stackalloc byte[128];
        Check(InitActions(actions), "posix_spawn_file_actions_init");
        Check(InitAttributes(attributes), "posix_spawnattr_init");
        byte** argv = Pack(arguments), envp = Pack(environment), path = Pack([program]);
        try
        {
            // .NET ignores SIGPIPE and blocks others at times: a program must not inherit either.
            FillSignals(signals);
            Check(SetSignals(attributes, signals), "posix_spawnattr_setsigdefault");
            EmptySignals(signals);
            Check(SetMask(attributes, signals), "posix_spawnattr_setsigmask");
            // A group of its own, or Ctrl-C in the terminal would kill it before it is cancelled gracefully.
            Check(SetGroup(attributes, 0), "posix_spawnattr_setpgroup");
            Check(SetFlags(attributes, SetProcessGroup | SetDefaultSignals | SetSignalMask), "posix_spawnattr_setflags");
            for (int n = 0; n < descriptors.Count; n++)
                Check(AddDuplicate(actions, descriptors[n], n), "posix_spawn_file_actions_adddup2");
            CloseRest(actions, descriptors.Count);
            int process;
            int error = user is { } id ? SpawnAs(id, &process, *path, actions, attributes, argv, envp) : Spawn(&process, *path, actions, attributes, argv, envp);
            return error == 0 ? process : throw new NativeException($"start {program}", error);
        }
        finally
        {
            Free(argv);
            Free(envp);
            Free(path);
            DestroyActions(actions);
            DestroyAttributes(attributes);
        }
    }

    private static int SpawnAs(int user, int* process, byte* path, byte* actions, byte* attributes, byte** argv, byte** envp)
    {
        DropPrivileges.Enter(user);
        int error = Spawn(process, path, actions, attributes, argv, envp);
        DropPrivileges.Return();
        return error;
    }

    private static void CloseRest(byte* actions, int from)
    {
        if (s_hasCloseFrom)
        {
            Check(AddCloseFrom(actions, from), "posix_spawn_file_actions_addclosefrom_np");
            return;
        }
        foreach (string path in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(path), out int fd) && fd >= from)
                Check(AddClose(actions, fd), "posix_spawn_file_actions_addclose");
        }
    }

    private static byte** Pack(IReadOnlyList<string> texts)
    {
        byte** list = (byte**)NativeMemory.AllocZeroed((nuint)texts.Count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            int length = Encoding.UTF8.GetByteCount(texts[i]);
            list[i] = (byte*)NativeMemory.AllocZeroed((nuint)length + 1);
            Encoding.UTF8.GetBytes(texts[i], new Span<byte>(list[i], length));
        }
        return list;
    }

    private static void Free(byte** list)
    {
        for (int i = 0; list[i] != null; i++)
            NativeMemory.Free(list[i]);
        NativeMemory.Free(list);
    }

    private static void Check(int error, string call)
    {
        if (error != 0)
            throw new NativeException(call, error);
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int Spawn(int* process, byte* path, byte* actions, byte* attributes, byte** argv, byte** envp);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclose")]
    private static partial int AddClose(byte* actions, int fd);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    private static partial int AddCloseFrom(byte* actions, int from);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setpgroup")]
    private static partial int SetGroup(byte* attributes, int group);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetSignals(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSignals(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySignals(byte* signals);
}
