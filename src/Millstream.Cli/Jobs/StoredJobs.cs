using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Jobs;

/// <summary>A job as the store has it.</summary>
/// <param name="Head">Its head.</param>
/// <param name="Input">What a workflow file's job was started with; null for one of another agent, and in lists.</param>
/// <param name="IsOrphaned">Whether it is open and no living process has it.</param>
internal sealed record StoredJobLine(JobHead Head, FileWorkflowInput? Input, bool IsOrphaned)
{
    /// <summary>What an agent file's job was started with; null for one of another agent, and in lists.</summary>
    public LlmSpecInput? Agent { get; init; }

    /// <summary>Whether it is an agent file's job.</summary>
    public bool IsAgent => Head.AgentId == LlmSpecAgent.AgentId;

    /// <summary>Whether this command has the code of it.</summary>
    public bool IsOurs => IsWorkflow || IsAgent;

    /// <summary>Whether it is a workflow file's job.</summary>
    public bool IsWorkflow => Head.AgentId == FileWorkflowAgent.AgentId;

    /// <summary>The workflow, or the agent.</summary>
    public string Name => Workflow?.Name ?? (IsAgent ? Head.Name : null) ?? Head.AgentId;

    public string Version => Workflow?.Version ?? Head.AgentVersion;

    /// <summary>Name and version; an agent file has no version.</summary>
    public string Title => IsAgent ? Name : $"{Name} {Version}";

    // Names of workflows have no spaces.
    private (string Name, string Version)? Workflow => Input is { } input ? (input.Name, input.Version)
        : IsWorkflow && Head.Name?.Split(' ', 2) is [var name, var version] ? (name, version) : null;

    /// <summary>What the job of a workflow is called in lists, which do not read more than its head.</summary>
    public static string NameOf(WorkflowDefinition workflow) => $"{workflow.Name} {workflow.Version}";

    /// <summary>For people: of a job that nobody runs it says so.</summary>
    public string Status => IsOrphaned && Head.Status != JobStatus.Suspended ? StoredJobs.Orphaned : Head.Status.ToString().ToLowerInvariant();

    public bool Is(string? status) => status switch
    {
        null => true,
        StoredJobs.Open => Head.Ended is null,
        StoredJobs.Ended => Head.Ended is not null,
        StoredJobs.Orphaned => IsOrphaned,
        _ => string.Equals(Head.Status.ToString(), status, StringComparison.OrdinalIgnoreCase),
    };

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteString("job", Head.Id.Value);
        writer.WriteString("status", Head.Status.ToString().ToLowerInvariant());
        writer.WriteBoolean("orphaned", IsOrphaned);
        writer.WriteString("agent", Head.AgentId);
        writer.WriteString("agentVersion", Head.AgentVersion);
        writer.WriteString("workflow", Workflow?.Name);
        writer.WriteString("workflowVersion", Workflow?.Version);
        writer.WriteString("created", StoredJobs.Text(Head.Created));
        writer.WriteString("ended", Head.Ended is { } ended ? StoredJobs.Text(ended) : null);
        writer.WriteString("detail", Head.Detail);
        writer.WriteString("tenant", Head.Tenant);
        writer.WriteNumber("priority", Head.Priority);
    }
}

/// <summary>Finds jobs in a store.</summary>
internal sealed class StoredJobs(IJournalStorage storage)
{
    public const string Open = "open", Ended = "ended", Orphaned = "orphaned";

    /// <summary>What <c>--status</c> takes.</summary>
    public static string[] Statuses { get; } = [.. Enum.GetNames<JobStatus>().Select(s => s.ToLowerInvariant()), Open, Ended, Orphaned];

    public static JobId Parse(string text)
    {
        try
        {
            return JobId.Parse(text);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(Plain(e), ExitCode.Usage);
        }
    }

    /// <summary>What an exception says, without the name of a parameter that users have not given.</summary>
    public static string Plain(ArgumentException e) => e.Message.Split(" (Parameter '")[0];

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    public async Task<JobHead> FindAsync(string text)
    {
        JobId id = Parse(text);
        if (await storage.FindAsync(id) is { } head)
            return head;
        List<string> ids = [];
        await foreach (JobHead other in storage.ListAsync(new JobHeadFilter()))
            ids.Add(other.Id.Value);
        // The newest are the likeliest.
        ids.Reverse();
        throw new CommandException($"there is no job '{text}' in {storage.Location}{Names.Suggest(text, ids)}");
    }

    public async Task<StoredJobLine> LineAsync(JobHead head) => await WithInputAsync(await LineAsync(head, await storage.ReadLivingRunnersAsync()));

    /// <summary>The same with what it was started with, which its first record tells.</summary>
    public async Task<StoredJobLine> WithInputAsync(StoredJobLine line) => line.IsAgent
        ? line with { Agent = (await StoredEvents.InputJsonAsync(storage, line.Head))?.Deserialize<LlmSpecInput>(Json.Options) }
        : line with { Input = await StoredEvents.InputAsync(storage, line.Head) };

    /// <summary>The jobs that fit, oldest first; those that other jobs started are not listed.</summary>
    public async IAsyncEnumerable<StoredJobLine> ListAsync(DateTimeOffset? since = null, string? name = null, string? status = null)
    {
        IReadOnlySet<long> living = await storage.ReadLivingRunnersAsync();
        JobHeadFilter filter = new()
        {
            Since = since,
            Ended = status switch { Open or Orphaned => false, Ended => true, _ => null },
            Status = Enum.TryParse(status, ignoreCase: true, out JobStatus one) ? one : null,
        };
        await foreach (JobHead head in storage.ListAsync(filter))
        {
            StoredJobLine line = await LineAsync(head, living);
            if (line.Is(status) && (name is null || name == line.Name || name == head.AgentId || name == head.Name))
                yield return line;
        }
    }

    private async Task<StoredJobLine> LineAsync(JobHead head, IReadOnlySet<long> living)
    {
        bool isOrphaned = head.Ended is null && !living.Contains(head.Runner);
        // It may have ended, or been taken up, since its head or the runners were read.
        if (isOrphaned && await storage.FindAsync(head.Id) is { } now)
            (isOrphaned, head) = (now.Ended is null && now.Runner == head.Runner, now);
        return new StoredJobLine(head, null, isOrphaned);
    }
}
