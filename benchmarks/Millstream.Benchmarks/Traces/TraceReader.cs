using System.Text.Json;

namespace Millstream;

/// <summary>Reads a file of WfFormat 1.5, the format of the traces of WfCommons.</summary>
internal sealed class TraceReader
{
    private const string Version = "1.5";
    private const string Specification = "workflow.specification.tasks", Execution = "workflow.execution.tasks";

    private readonly string _path;

    private TraceReader(string path) => _path = path;

    /// <exception cref="TraceFormatException">The file is no trace of that version, or a wrong one.</exception>
    public static Trace Read(string path) => new TraceReader(path).Read();

    private Trace Read()
    {
        using JsonDocument document = Parse();
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("schemaVersion", out JsonElement version))
            throw Fault("schemaVersion", "it is missing, so this is no file of WfFormat", "leave only files of WfFormat in the folder");
        if (version.ValueKind != JsonValueKind.String || version.GetString() != Version)
            throw Fault("schemaVersion", $"it is {Shown(version)}", $"give a file of version \"{Version}\", as those of github.com/wfcommons/WfInstances");
        JsonElement workflow = Get(root, "workflow", "workflow", JsonValueKind.Object);
        JsonElement specified = List(workflow, "specification"), executed = List(workflow, "execution");
        Dictionary<string, (double Seconds, string? Program)> runs = Runs(executed);
        Dictionary<string, int> places = [];
        List<HashSet<int>> parents = [];
        foreach ((JsonElement task, string at) in Each(specified, Specification))
        {
            string id = Text(task, "id", at);
            if (!places.TryAdd(id, places.Count))
                throw Fault($"{at}.id", $"'{id}' stands there twice", "give each task an id of its own");
            if (!runs.ContainsKey(id))
                throw Fault(Execution, $"the task '{id}' of {Specification} is missing", "give the record of a whole run");
            parents.Add([]);
        }
        foreach ((JsonElement task, string at) in Each(specified, Specification))
        {
            int place = places[Text(task, "id", at)];
            foreach (int parent in Named(task, "parents", at, places))
                parents[place].Add(parent);
            foreach (int child in Named(task, "children", at, places))
                parents[child].Add(place);
        }
        if (runs.Keys.FirstOrDefault(id => !places.ContainsKey(id)) is { } unknown)
            throw Fault(Execution, $"the task '{unknown}' does not stand in {Specification}", "give the record of the same workflow");
        if (places.Count == 0)
            throw Fault(Specification, "it is empty", "give the record of a run with at least one task");
        List<TraceTask> tasks = [.. Each(specified, Specification).Select((t, i) =>
        {
            (double seconds, string? program) = runs[Text(t.Task, "id", t.At)];
            return new TraceTask(Text(t.Task, "id", t.At), Program(program, t.Task), seconds, [.. parents[i].Order()]);
        })];
        return new Trace(System.IO.Path.GetFileNameWithoutExtension(_path), Sorted(tasks));
    }

    private JsonDocument Parse()
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(_path));
        }
        catch (JsonException e)
        {
            throw Fault($"line {e.LineNumber + 1}", "it is no JSON", "leave only files of WfFormat in the folder");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fault("the file", $"it cannot be read ({e.Message})", "make it readable");
        }
    }

    private Dictionary<string, (double, string?)> Runs(JsonElement executed)
    {
        Dictionary<string, (double, string?)> runs = [];
        foreach ((JsonElement task, string at) in Each(executed, Execution))
        {
            string id = Text(task, "id", at);
            JsonElement runtime = Get(task, "runtimeInSeconds", at + ".runtimeInSeconds", JsonValueKind.Number);
            if (!runtime.TryGetDouble(out double seconds) || seconds is not (>= 0 and < 1e9))
                throw Fault($"{at}.runtimeInSeconds", $"it is {Shown(runtime)}", "give the seconds that the task ran, 0 or more");
            string? program = null;
            if (task.TryGetProperty("command", out JsonElement command) && command.ValueKind == JsonValueKind.Object && command.TryGetProperty("program", out JsonElement name) && name.ValueKind == JsonValueKind.String)
                program = name.GetString();
            if (!runs.TryAdd(id, (seconds, program)))
                throw Fault($"{at}.id", $"'{id}' stands there twice", "give the record of one run");
        }
        return runs;
    }

    // What the command names; Nextflow records a script instead, and calls the task by its process, as NFCORE_SAREK.SAREK.FASTQC.
    private static string Program(string? program, JsonElement task)
    {
        if (program is { Length: > 1 } && !program.Any(char.IsWhiteSpace))
            return program[(program.LastIndexOf('/') + 1)..];
        string name = task.TryGetProperty("name", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
        return name[(name.LastIndexOfAny(['.', ':']) + 1)..];
    }

    private IEnumerable<int> Named(JsonElement task, string property, string at, Dictionary<string, int> places)
    {
        if (!task.TryGetProperty(property, out JsonElement names))
            yield break;
        if (names.ValueKind != JsonValueKind.Array)
            throw Fault($"{at}.{property}", $"it is {Shown(names)}", "give a list of ids of tasks");
        foreach (JsonElement name in names.EnumerateArray())
        {
            if (name.ValueKind != JsonValueKind.String || !places.TryGetValue(name.GetString()!, out int place))
                throw Fault($"{at}.{property}", $"there is no task {Shown(name)}", $"name a task of {Specification}");
            yield return place;
        }
    }

    // Parents first; of those that may go next the one that the file names first.
    private List<TraceTask> Sorted(List<TraceTask> tasks)
    {
        List<int>[] children = [.. tasks.Select(_ => new List<int>())];
        int[] waits = [.. tasks.Select(t => t.Parents.Length)];
        for (int i = 0; i < tasks.Count; i++)
        {
            foreach (int parent in tasks[i].Parents)
                children[parent].Add(i);
        }
        PriorityQueue<int, int> ready = new(Enumerable.Range(0, tasks.Count).Where(i => waits[i] == 0).Select(i => (i, i)));
        int[] moved = new int[tasks.Count];
        List<int> order = [];
        while (ready.TryDequeue(out int next, out _))
        {
            moved[next] = order.Count;
            order.Add(next);
            foreach (int child in children[next].Where(c => --waits[c] == 0))
                ready.Enqueue(child, child);
        }
        if (order.Count < tasks.Count)
            throw Fault(Specification, $"the task '{tasks[Array.FindIndex(waits, w => w > 0)].Id}' waits for itself, through its parents", "give a workflow without cycles");
        return [.. order.Select(i => tasks[i] with { Parents = [.. tasks[i].Parents.Select(p => moved[p])] })];
    }

    private JsonElement List(JsonElement workflow, string part) =>
        Get(Get(workflow, part, $"workflow.{part}", JsonValueKind.Object), "tasks", $"workflow.{part}.tasks", JsonValueKind.Array);

    private static IEnumerable<(JsonElement Task, string At)> Each(JsonElement list, string at) => list.EnumerateArray().Select((t, i) => (t, $"{at}[{i}]"));

    private string Text(JsonElement of, string property, string at) => Get(of, property, $"{at}.{property}", JsonValueKind.String).GetString()!;

    private JsonElement Get(JsonElement of, string property, string at, JsonValueKind kind)
    {
        if (of.ValueKind != JsonValueKind.Object || !of.TryGetProperty(property, out JsonElement found))
            throw Fault(at, "it is missing", $"give a whole file of WfFormat {Version}");
        return found.ValueKind == kind ? found : throw Fault(at, $"it is {Shown(found)}", $"give {Words.A(kind.ToString().ToLowerInvariant())}");
    }

    private static string Shown(JsonElement element)
    {
        string text = element.GetRawText();
        return text.Length <= 60 ? text : text[..60] + "…";
    }

    private TraceFormatException Fault(string field, string what, string remedy) => new(_path, field, what, remedy);
}
