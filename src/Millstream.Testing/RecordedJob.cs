using System.Text.Json;

namespace Millstream;

/// <summary>
/// A job as some process recorded it, with its children. A test that keeps one in its repository notices when a change of an agent's code would suspend jobs that are under way.
/// </summary>
public sealed class RecordedJob
{
    private const int Version = 1;

    private readonly List<One> _jobs;

    private RecordedJob(List<One> jobs) => _jobs = jobs;

    /// <summary>The job's id.</summary>
    public JobId Id => _jobs[0].Id;

    /// <summary>Its agent's id.</summary>
    public string AgentId => _jobs[0].AgentId;

    /// <summary>Its agent's version.</summary>
    public string AgentVersion => _jobs[0].AgentVersion;

    /// <summary>The entries of it and of its children.</summary>
    internal IEnumerable<(JobId Job, List<JournalEntry> Entries)> Journals => _jobs.Select(j => (j.Id, j.Entries()));

    /// <summary>Reads what <c>millstream export ID --records</c> or <see cref="SaveAsync"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The file holds something else, or was written without <c>--records</c>.</exception>
    public static RecordedJob Load(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        List<One> jobs = [];
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            try
            {
                JsonElement json = JsonSerializer.Deserialize<JsonElement>(line);
                if (json.TryGetProperty("millstream", out _))
                    jobs.Add(One.Of(json));
                else if (RecordLines.Read(json) is { } read)
                    jobs[^1].Parts.Add(read);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
            {
                throw new InvalidDataException($"{path}:{number}: this is no line of `millstream export --records`: {e.Message}", e);
            }
        }
        if (jobs.Count == 0 || jobs.Exists(j => j.Parts.Count == 0))
            throw new InvalidDataException($"{path} holds no records to replay; write it by `millstream export ID --records --output FILE`.");
        return new RecordedJob(jobs);
    }

    /// <summary>Takes a job with its children from a store.</summary>
    /// <exception cref="ArgumentException">There is no such job.</exception>
    public static async Task<RecordedJob> FromAsync(IJournalStorage storage, JobId id)
    {
        ArgumentNullException.ThrowIfNull(storage);
        JobHead head = await storage.FindAsync(id) ?? throw new ArgumentException($"There is no job {id} in {storage.Location}.", nameof(id));
        List<One> jobs = [];
        await AddAsync(storage, head, jobs);
        return new RecordedJob(jobs);
    }

    /// <summary>Writes it as lines of JSON, for <see cref="Load"/>.</summary>
    public Task SaveAsync(string path) => File.WriteAllTextAsync(path, string.Concat(_jobs.SelectMany(j => j.Lines()).Select(l => l + "\n")));

    /// <summary>
    /// Runs the code that there is now on what is recorded, as a process does that takes the job up: nothing is done, stored or called, and each command must be the recorded one. What a
    /// replay does not compare (an event's data, the time of a timer) may differ.
    /// </summary>
    /// <param name="agents">The job's agent, and those of its children; children of other agents are not looked at.</param>
    /// <returns>The jobs that were replayed: this one, then children.</returns>
    /// <exception cref="ContractException">The code asks for something else: the message has the first entry that differs, with both sides, for each job.</exception>
    /// <exception cref="ArgumentException">The job's own agent is not among them.</exception>
    public async Task<IReadOnlyList<JobId>> ReplayAsync(params IReadOnlyList<Agent> agents)
    {
        ArgumentNullException.ThrowIfNull(agents);
        if (!agents.Any(a => a.Id == AgentId))
            throw new ArgumentException($"Job {Id} is of agent {AgentId}; given were {string.Join(", ", agents.Select(a => a.Id))}.", nameof(agents));
        await using TestHost host = new();
        List<JobId> replayed = [];
        List<string> faults = [];
        foreach (One job in _jobs)
        {
            Agent[] known = [.. agents.Where(a => a.Id == job.AgentId)];
            if (known.Length == 0)
                continue;
            Agent? agent = known.FirstOrDefault(a => a.Version == job.AgentVersion) ?? known.FirstOrDefault(a => a.CanRun(job.AgentVersion));
            string? fault = agent is null ? $"agent {job.AgentId} {known[0].Version} does not take jobs of version {job.AgentVersion} ({nameof(Agent)}.{nameof(Agent.CanRun)})" : Replay(host, job, agent);
            if (fault is not null)
                faults.Add($"job {job.Id}: {fault}");
            replayed.Add(job.Id);
        }
        ContractException.ThrowIfAny($"the code there is now would suspend recorded job {Id}", faults);
        return replayed;
    }

    private static string? Replay(TestHost host, One job, Agent agent)
    {
        try
        {
            return JobRunner.Replayed(host.Orchestrator.Engine, job.Id, agent, job.Entries());
        }
        catch (JsonException e)
        {
            return $"something recorded does not fit the types of agent {agent.Id} {agent.Version} ({agent.Contract}): {e.Message}";
        }
    }

    private static async Task AddAsync(IJournalStorage storage, JobHead head, List<One> jobs)
    {
        One job = new(head.Id, head.AgentId, head.AgentVersion);
        await foreach ((JournalRecord?, JournalBlob?) part in RecordLines.ReadAsync(storage, head.Id))
            job.Parts.Add(part);
        jobs.Add(job);
        foreach (JournalEntry entry in job.Entries().Where(e => e.Kind == EntryKind.ChildStarted))
        {
            // It may not have begun, or been made for the other job where this one is a fork.
            if (await storage.FindAsync(JobId.Parse(entry.Subject!)) is { } child)
                await AddAsync(storage, child, jobs);
        }
    }

    private sealed record One(JobId Id, string AgentId, string AgentVersion)
    {
        public List<(JournalRecord? Record, JournalBlob? Blob)> Parts { get; } = [];

        public static One Of(JsonElement head)
        {
            if (head.GetProperty("millstream").GetString() != "export" || head.GetProperty("version").GetInt32() != Version)
                throw new FormatException($"it is version {head.GetProperty("version")} of {head.GetProperty("millstream")}, and this reads version {Version} of export");
            return new One(JobId.Parse(head.GetProperty("job").GetString()!), head.GetProperty("agent").GetString()!, head.GetProperty("agentVersion").GetString()!);
        }

        /// <summary>Its entries, checked against each other.</summary>
        public List<JournalEntry> Entries()
        {
            Beside beside = Beside.Of([.. Parts.Where(p => p.Blob is not null).Select(p => p.Blob!.Value)]);
            Chain chain = Chain.Start(Id);
            List<JournalEntry> entries = [];
            foreach (JournalRecord record in Parts.Where(p => p.Record is not null).Select(p => p.Record!.Value))
                entries.AddRange(EntryReader.Read(Id, record, chain, out chain, beside));
            return entries;
        }

        public IEnumerable<string> Lines() => Parts.Select(RecordLines.Write).Prepend(RecordLines.Line(json =>
        {
            json.WriteString("millstream", "export");
            json.WriteNumber("version", Version);
            json.WriteString("job", Id.Value);
            json.WriteString("agent", AgentId);
            json.WriteString("agentVersion", AgentVersion);
        }));
    }
}
