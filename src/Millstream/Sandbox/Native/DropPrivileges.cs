using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>
/// Root's spawner thread takes an unprivileged user's identity for the moment of a start. The kernel keeps identities per thread (the
/// C library hides that, hence the bare system calls), and a started program keeps no way back: at its exec the saved id becomes the
/// user's, its capabilities are gone, and new ones are ruled out. It saves the start of a helper program, which costs as much as the sandbox.
/// </summary>
internal static class DropPrivileges
{
    private const int SetNoNewPrivileges = 38, DropFromBoundingSet = 24, HighestCapability = 63;

    // prctl, setgroups, setresgid, setresuid
    private static readonly (long Control, long Groups, long Group, long User)? s_calls = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (157, 116, 119, 117),
        Architecture.Arm64 => (167, 159, 149, 147),
        _ => null,
    };

    /// <summary>Whether the system calls are known for this machine; else setpriv does it.</summary>
    public static bool IsKnown => s_calls is not null;

    /// <summary>For good, on the calling thread: nothing it starts ever gains a privilege. The thread itself keeps what it has.</summary>
    public static void Prepare()
    {
        if (s_calls is not { } calls)
            return;
        for (int capability = 0; capability <= HighestCapability; capability++)
            _ = Libc.Call(calls.Control, DropFromBoundingSet, capability);
        Check(Libc.Call(calls.Control, SetNoNewPrivileges, 1), "prctl no_new_privs");
        Check(Libc.Call(calls.Groups, 0, 0), "setgroups");
    }

    /// <summary>Takes the user's identity; undone by <see cref="Return"/>, with nothing but the start between them.</summary>
    public static void Enter(int user)
    {
        (_, _, long group, long owner) = s_calls!.Value;
        Check(Libc.Call(group, user, user, 0), "setresgid");
        if (Libc.Call(owner, user, user, 0) == 0)
            return;
        int error = Libc.Errno;
        _ = Libc.Call(group, 0, 0, 0);
        throw new NativeException("setresuid", error);
    }

    /// <summary>Becomes root again.</summary>
    public static void Return()
    {
        (_, _, long group, long owner) = s_calls!.Value;
        // The saved id is root's, so neither can fail; were it to, this thread must not go on as half of each.
        if (Libc.Call(owner, 0, 0, 0) != 0 || Libc.Call(group, 0, 0, 0) != 0)
            Environment.FailFast("The sandbox spawner could not become root again.");
    }

    private static void Check(long result, string call)
    {
        if (result != 0)
            throw new NativeException(call, Libc.Errno);
    }
}
