namespace Millstream.Crashes.Cycles;

/// <summary>Orchestrators as the programs here make them.</summary>
internal static class Runtime
{
    /// <summary>Opens a journal by what <c>--journal</c> says: the path of a SQLite file, or the URL of a PostgreSQL server.</summary>
    public static IJournalStorage Open(string journal) => journal.StartsWith("postgres://", StringComparison.Ordinal) ? new PostgreSqlJournalStorage(journal) : new SqliteJournalStorage(journal);

    public static AgentOrchestrator Make(IJournalStorage journal, Action<string, int>? effect = null, bool claims = true, TimeProvider? time = null)
    {
        Action<string, int> count = effect ?? ((_, _) => { });
        return new AgentOrchestrator(new OrchestratorOptions
        {
            Journal = journal,
            Claim = claims,
            Agents = new AgentRegistry().Add(new PlanAgent(count)).Add(new PlanAgent.HelperAgent(count)),
            GracePeriod = TimeSpan.FromMilliseconds(200),
            // Processes die here all the time, and none by a fault of its jobs.
            Restarts = new RetryPolicy { Attempts = 1_000_000, Delay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(1) },
            Time = time ?? TimeProvider.System,
        });
    }

    public static JobId Id(int number) => JobId.Parse(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"j{number}"));

    /// <summary>Whether an exception is how a store that fails, or a process that stops, is told.</summary>
    public static bool IsEndOfService(Exception e) => e is JournalStorageException or JobSuspendedException or JobDetachedException or ObjectDisposedException;
}

/// <summary>Answers and signals a job as far as it asks for them. All may be told again: what was accepted before is dropped.</summary>
internal static class Teller
{
    /// <param name="job">The job, run here or elsewhere.</param>
    /// <param name="accepted">Called with what was accepted, as <c>q1</c> or <c>s1</c>.</param>
    public static async Task TellAsync(Job job, Action<string> accepted)
    {
        await foreach (JobEvent e in job.EventsAsync())
        {
            if (e.Kind != JobEventKinds.QuestionAsked)
                continue;
            if (await job.AnswerAsync(e.Question!, System.Text.Json.JsonSerializer.SerializeToElement(true)) is SignalResult.Accepted)
                accepted(e.Question!);
            for (int i = 1; i <= PlanAgent.Signals; i++)
            {
                string id = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"s{i}");
                if (await job.SignalAsync(System.Text.Json.JsonSerializer.SerializeToElement($"signal {i}"), id) is SignalResult.Accepted or SignalResult.Duplicate)
                    accepted(id);
            }
            return;
        }
    }
}
