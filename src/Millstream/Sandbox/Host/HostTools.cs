using System.Text;

namespace Millstream;

/// <summary>Programs and kernel features that sandboxes of this host stand on.</summary>
internal static unsafe class HostTools
{
    public static SandboxFinding Bubblewrap(SandboxOptions options)
    {
        if (Tools.Find(options.Bubblewrap) is not { } program)
            return new("bubblewrap", SandboxFindingState.Missing, $"{options.Bubblewrap} was not found", SandboxRemedies.NoBubblewrap(options.Bubblewrap));
        try
        {
            return new("bubblewrap", SandboxFindingState.Ok, $"{Say(program)} at {program}");
        }
        catch (NativeException e)
        {
            return new("bubblewrap", SandboxFindingState.Missing, $"{program} cannot be run ({e.Message})", SandboxRemedies.NoBubblewrap("bwrap"));
        }
    }

    public static SandboxFinding Cpu()
    {
        CgroupController cpu = CgroupLayout.Host.Cpu;
        return new("cpu", SandboxFindingState.Partial, $"time is bounded, shares of the processor are not{(cpu.Folder is null ? "" : $" ({cpu.Detail} could)")}", "Give each host as many sandboxes as it has cores.");
    }

    /// <summary>What only a runner that is root has to do: become another user, and hand over folders.</summary>
    public static IEnumerable<SandboxFinding> AsRoot(SandboxOptions options)
    {
        if (Libc.UserId() != 0)
            yield break;
        yield return new("root", SandboxFindingState.Ok, $"commands run as user {options.UserId}, {(DropPrivileges.IsKnown ? "taken by system call" : "taken by setpriv")}");
        yield return Spawner.Instance.Stage is not null
            ? new("mounts as root", SandboxFindingState.Ok, "host folders are staged in a mount namespace of the runner's own")
            : new("mounts as root", SandboxFindingState.Missing, "this root may not mount, so host folders cannot be given to commands", "Run as an ordinary user, or give the container CAP_SYS_ADMIN.");
        yield return IdMaps(options);
    }

    private static SandboxFinding IdMaps(SandboxOptions options)
    {
        const string Name = "write mounts as root";
        string folder = Directory.CreateTempSubdirectory("millstream-doctor-").FullName;
        try
        {
            using Fd host = Fd.Take(Libc.Open(folder, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC), "open");
            using Fd tree = MountTree.Clone(host, recursive: false);
            // Nothing is written: that the kernel and this file system take the mount is what is asked.
            uint other = (uint)options.UserId + 1;
            MountTree.Restrict(tree, readOnly: false, OwnerMaps.Get(other, other, (uint)options.UserId));
            return new(Name, SandboxFindingState.Ok, $"id-mapped mounts work on the file system of {Path.GetTempPath()}; files belong to the folder's owner, root's folders are copied to");
        }
        catch (Exception e) when (e is NativeException or SandboxException)
        {
            return new(Name, SandboxFindingState.Partial, $"no id-mapped mounts on the file system of {Path.GetTempPath()} ({e.Message}): only folders of root's and of user {options.UserId} can be written", "Run as the ordinary user who owns the folders, or use a file system and kernel (5.12) that have them.");
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private static string Say(string program)
    {
        (Fd read, Fd write) = Fd.Pipe();
        using Fd none = Fd.Null();
        using (read)
        using (write)
        {
            int process = PosixSpawn.Start(program, [program, "--version"], ["PATH=/usr/bin:/bin"], [none.Value, write.Value, none.Value]);
            write.Dispose();
            byte* buffer = stackalloc byte[256];
            nint length = Libc.Read(read.Value, buffer, 256);
            Reaper.WaitFor(process);
            return length > 0 ? Encoding.UTF8.GetString(buffer, (int)length).Trim() : "a version that it does not say";
        }
    }
}
