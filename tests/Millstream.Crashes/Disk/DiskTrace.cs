using System.Text;

namespace Millstream.Crashes.Disk;

/// <summary>One call that the shim has written down.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Path">The file or folder.</param>
/// <param name="Offset">Where it wrote, or the size that it cut to.</param>
/// <param name="Bytes">What it wrote, the new name of a rename, the text of a mark.</param>
internal sealed record DiskStep(DiskCall Kind, string Path, long Offset, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public static List<DiskStep> Read(string trace)
    {
        List<DiskStep> steps = [];
        using BinaryReader from = new(File.OpenRead(trace));
        while (from.BaseStream.Position < from.BaseStream.Length)
        {
            var kind = (DiskCall)from.ReadInt32();
            int path = from.ReadInt32();
            long offset = from.ReadInt64();
            int size = from.ReadInt32();
            from.ReadInt32();
            steps.Add(new DiskStep(kind, Encoding.UTF8.GetString(from.ReadBytes(path)), offset, from.ReadBytes(size)));
        }
        return steps;
    }
}

/// <summary>How much of what was not synced a power cut leaves.</summary>
internal enum Loss
{
    /// <summary>Nothing that was not synced is there.</summary>
    All,

    /// <summary>Whole calls are there or not, in any choice.</summary>
    Calls,

    /// <summary>Sectors of 512 bytes are there or not, so pages and frames are torn.</summary>
    Sectors,
}

/// <summary>
/// A disk as the calls leave it. What a file was given is sure after a sync of the file; that a name is there, or is gone, after a sync of its
/// folder. The rest is in a cache that a power cut empties: names in order, up to some point; what was written in any choice.
/// </summary>
internal sealed class DiskModel(string root)
{
    private const int Sector = 512;

    private readonly Dictionary<string, Node> _names = new(StringComparer.Ordinal) { [root] = new(isFolder: true) };
    private readonly Dictionary<string, Node> _sureNames = new(StringComparer.Ordinal) { [root] = new(isFolder: true) };
    private readonly List<(string Folder, Action<Dictionary<string, Node>> Do)> _namesToDo = [];

    public void Do(DiskStep step)
    {
        switch (step.Kind)
        {
            case DiskCall.Create or DiskCall.MakeFolder:
                Node made = new(step.Kind == DiskCall.MakeFolder);
                Rename(step.Path, names => names[step.Path] = made);
                break;
            case DiskCall.Unlink:
                Rename(step.Path, names => names.Remove(step.Path));
                break;
            case DiskCall.Rename:
                Node moved = _names[step.Path];
                Rename(step.Path, names =>
                {
                    names.Remove(step.Path);
                    names[step.Text] = moved;
                });
                break;
            case DiskCall.Write or DiskCall.Truncate:
                _names[step.Path].ToDo.Add(step);
                break;
            case DiskCall.Sync when _names[step.Path].IsFolder:
                foreach ((_, Action<Dictionary<string, Node>> change) in _namesToDo.Where(n => n.Folder == step.Path))
                    change(_sureNames);
                _namesToDo.RemoveAll(n => n.Folder == step.Path);
                break;
            case DiskCall.Sync:
                Node file = _names[step.Path];
                foreach (DiskStep write in file.ToDo)
                    Apply(file.Sure, write, 0, write.Bytes.Length);
                file.ToDo.Clear();
                break;
        }
    }

    /// <summary>Writes into a folder what is there after a power cut now.</summary>
    public void CutPower(string folder, Loss loss, Random random)
    {
        Dictionary<string, Node> names = new(_sureNames, StringComparer.Ordinal);
        int done = loss == Loss.All ? 0 : random.Next(_namesToDo.Count + 1);
        foreach ((_, Action<Dictionary<string, Node>> change) in _namesToDo.Take(done))
            change(names);
        foreach ((string name, Node node) in names.OrderBy(n => n.Key, StringComparer.Ordinal))
        {
            string path = folder + name[root.Length..];
            if (node.IsFolder)
                Directory.CreateDirectory(path);
            // A name whose folder is lost is lost with it.
            else if (Directory.Exists(Path.GetDirectoryName(path)))
                File.WriteAllBytes(path, Content(name, node, loss, random));
        }
    }

    private void Rename(string path, Action<Dictionary<string, Node>> change)
    {
        change(_names);
        _namesToDo.Add((Path.GetDirectoryName(path)!, change));
    }

    private static byte[] Content(string name, Node node, Loss loss, Random random)
    {
        if (loss == Loss.All)
            return node.Sure.ToArray();
        if (name.EndsWith("-shm", StringComparison.Ordinal))
        {
            // Shared memory, whose pages may be written out at any time: what it holds must not matter.
            byte[] any = new byte[32 * 1024];
            random.NextBytes(any);
            return any;
        }
        MemoryStream content = new();
        node.Sure.WriteTo(content);
        int often = random.Next(1, 10);
        foreach (DiskStep step in node.ToDo)
        {
            int all = Math.Max(1, step.Bytes.Length), piece = loss == Loss.Sectors && step.Kind == DiskCall.Write ? Sector : all;
            for (int at = 0; at < all; at += piece)
            {
                if (random.Next(10) < often)
                    Apply(content, step, at, Math.Min(piece, step.Bytes.Length - at));
            }
        }
        return content.ToArray();
    }

    private static void Apply(MemoryStream content, DiskStep step, int from, int size)
    {
        if (step.Kind == DiskCall.Truncate)
        {
            content.SetLength(step.Offset);
            return;
        }
        content.Position = step.Offset + from;
        content.Write(step.Bytes, from, size);
    }

    private sealed class Node(bool isFolder)
    {
        public bool IsFolder => isFolder;

        public MemoryStream Sure { get; } = new();

        public List<DiskStep> ToDo { get; } = [];
    }
}
