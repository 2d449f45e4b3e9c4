namespace Millstream.Tests.House;

/// <summary>
/// Which folder of src/Millstream may use which. "" is the root. Types all stand in one namespace, so the sources are read:
/// a file that mentions a top type (or calls an extension method) of a folder it may not use is at fault.
/// </summary>
internal static class FolderArrows
{
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        [""] = [],
        ["Resources"] = [""],
        ["Journaling"] = [""],
        ["Workflows"] = ["", "Resources", "Journaling"],
        ["Scheduling"] = ["", "Resources", "Journaling", "Workflows"],
        ["Execution"] = ["", "Resources", "Journaling", "Workflows", "Scheduling"],
        ["Sandbox"] = ["", "Resources"],
    };

    /// <summary>Every use against the arrows, as <c>file:line: …</c>.</summary>
    /// <param name="sources">The text of each file by its path from src/Millstream, with slashes.</param>
    public static IEnumerable<string> Faults(IReadOnlyDictionary<string, string> sources)
    {
        var files = sources.Select(s => (Path: s.Key, Folder: FolderOf(s.Key), File: SourceFile.Parse(s.Value))).ToList();
        foreach (string path in sources.Keys.Where(p => !MayUse.ContainsKey(FolderOf(p))))
            yield return $"src/Millstream/{path}: the folder {FolderOf(path)}/ has no place in the order of folders; move the file, or give the folder its arrows in {nameof(FolderArrows)}";

        Dictionary<string, string> homes = Homes(files.Select(f => (f.Folder, Names: f.File.TopTypes)));
        Dictionary<string, string> extensions = Homes(files.Select(f => (f.Folder, Names: f.File.Extensions)));
        foreach ((string path, string folder, SourceFile file) in files.Where(f => MayUse.ContainsKey(f.Folder)))
        {
            var seen = files.Where(f => f.Folder == folder || MayUse[folder].Contains(f.Folder)).Select(f => f.File).ToList();
            var types = seen.SelectMany(f => f.AllTypes).ToHashSet();
            var members = seen.SelectMany(f => f.Members).ToHashSet();
            foreach (Mention mention in file.Mentions.DistinctBy(m => (m.Name, m.Line)))
            {
                string? home = (mention.IsExtensionCall ? extensions : homes).GetValueOrDefault(mention.Name);
                bool known = types.Contains(mention.Name) || members.Contains(mention.Name) && !mention.IsCertainlyType;
                if (home is not null && !known && home != folder && !MayUse[folder].Contains(home))
                    yield return $"src/Millstream/{path}:{mention.Line}: {Say(folder)} uses {mention.Name} of {Say(home)}; {Say(folder)} may use {Allowed(folder)}";
            }
        }
    }

    private static string FolderOf(string path) => path.Contains('/') ? path[..path.IndexOf('/')] : "";

    private static Dictionary<string, string> Homes(IEnumerable<(string Folder, HashSet<string> Names)> files) =>
        files.SelectMany(f => f.Names.Select(name => (name, f.Folder))).DistinctBy(p => p.name).ToDictionary(p => p.name, p => p.Folder);

    private static string Say(string folder) => folder.Length == 0 ? "the root" : folder + "/";

    private static string Allowed(string folder) => MayUse[folder].Length == 0 ? "nothing but itself" : string.Join(", ", MayUse[folder].Select(Say));
}
