using System.Globalization;

namespace Millstream;

/// <summary>How the host folders of one command get into its sandbox, decided before anything starts.</summary>
internal sealed class MountPlan : IDisposable
{
    private readonly List<Entry> _entries = [];

    private sealed record Entry(SandboxMount Mount, Fd? Tree, bool IsFolder, CopyOut? Copy = null)
    {
        public string? Staged { get; set; }
    }

    private MountPlan()
    {
    }

    public static MountPlan Make(IReadOnlyList<SandboxMount> mounts, bool isRoot, uint inside)
    {
        MountPlan plan = new();
        try
        {
            foreach (SandboxMount mount in mounts)
                plan._entries.Add(isRoot ? PlanAsRoot(mount, inside) : PlanAsUser(mount));
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>On the spawner's thread: stages what must be staged and gives bubblewrap's options.</summary>
    public IReadOnlyList<string> Attach(Stage? stage, long disk)
    {
        List<string> options = [];
        foreach (Entry entry in _entries)
        {
            if (entry.Copy is not null)
            {
                options.AddRange(["--perms", "0755", "--size", disk.ToString(CultureInfo.InvariantCulture), "--tmpfs", entry.Mount.Path]);
                continue;
            }
            if (entry.Tree is not null && stage is null)
                throw new SandboxException($"The folder {entry.Mount.HostPath} cannot be mounted: this root may not mount (no CAP_SYS_ADMIN). Run Millstream as an ordinary user, or give the container that capability.");
            if (entry.Tree is not null)
                entry.Staged = stage!.Attach(entry.Tree, entry.IsFolder);
            options.AddRange([entry.Mount.Access == SandboxAccess.Write ? "--bind" : "--ro-bind", entry.Staged ?? entry.Mount.HostPath, entry.Mount.Path]);
        }
        return options;
    }

    /// <summary>What is copied to the host at the end.</summary>
    public IEnumerable<CopyOut> Copies => _entries.Select(entry => entry.Copy).OfType<CopyOut>();

    public bool IsStaged => _entries.Any(entry => entry.Staged is not null);

    /// <summary>On the spawner's thread.</summary>
    public void Detach()
    {
        foreach (Entry entry in _entries.Where(entry => entry.Staged is not null))
        {
            Stage.Detach(entry.Staged!);
            entry.Staged = null;
        }
    }

    public void Dispose()
    {
        foreach (Entry entry in _entries)
        {
            entry.Tree?.Dispose();
            entry.Copy?.Dispose();
        }
    }

    private static Entry PlanAsRoot(SandboxMount mount, uint inside)
    {
        if (HostFolder.TryCopyOut(mount) is { } copy)
            return new Entry(mount, null, true, copy);
        (Fd tree, bool isFolder) = HostFolder.PlanAsRoot(mount, inside);
        return new Entry(mount, tree, isFolder);
    }

    private static Entry PlanAsUser(SandboxMount mount)
    {
        using Fd host = HostFolder.Open(mount);
        const int Read = 4, Write = 2, Enter = 1, Effective = 0x200;
        bool isFolder = host.Status().IsFolder;
        if (Libc.Access(Libc.AtCurrentFolder, mount.HostPath, Read | (isFolder ? Enter : 0), Effective) != 0)
            throw new SandboxException($"The host folder {mount.HostPath} cannot be read by the user who runs Millstream. Give access: chmod u+rX {mount.HostPath}, or run as its owner.");
        if (mount.Access == SandboxAccess.Write && Libc.Access(Libc.AtCurrentFolder, mount.HostPath, Write, Effective) != 0)
            throw new SandboxException($"The host folder {mount.HostPath} is mounted for writing and cannot be written by the user who runs Millstream. Give access, or mount it with access read.");
        return new Entry(mount, null, isFolder);
    }
}
