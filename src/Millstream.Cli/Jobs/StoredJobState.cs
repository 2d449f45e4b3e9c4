using Millstream.Cli.Running.Agents;
using Millstream.Definitions;

namespace Millstream.Cli.Jobs;

/// <summary>What a job's stream tells of where it stands: questions without an answer, and tasks that have not ended.</summary>
internal sealed class StoredJobState
{
    private readonly List<JobEvent> _questions = [];
    private readonly List<JobEvent> _tasks = [];
    private readonly AgentApprovals _approvals = new();

    public IReadOnlyList<JobEvent> Questions => _questions;

    /// <summary>Of each task that has not ended its last entry.</summary>
    public IReadOnlyList<JobEvent> Tasks => _tasks;

    /// <summary>Calls of tools that wait for somebody to allow them, also those of agents that the job called.</summary>
    public IReadOnlyList<WaitingCall> Approvals => _approvals.All;

    public long Last { get; private set; }

    public static async Task<StoredJobState> ReadAsync(IJournalStorage journal, JobHead head)
    {
        StoredJobState state = new();
        await foreach (JobEvent e in StoredEvents.ReadAsync(journal, head))
            state.Add(e);
        return state;
    }

    private void Add(JobEvent e)
    {
        Last = e.Seq;
        _approvals.Add(e);
        switch (e.Kind)
        {
            // A question of a child is answered under the child's id.
            case JobEventKinds.QuestionAsked when !e.Job.IsChild:
                _questions.Add(e);
                break;
            case JobEventKinds.QuestionAnswered or JobEventKinds.QuestionWithdrawn or JobEventKinds.QuestionWithdrawing:
                _questions.RemoveAll(q => q.Question == e.Question && q.Job == e.Job);
                break;
            case JobEventKinds.TaskInDoubt:
                Forget(e);
                _tasks.Add(e);
                if (!e.Job.IsChild)
                    _questions.Add(e);
                break;
            case JobEventKinds.TaskDecided:
                Forget(e);
                _tasks.Add(e);
                _questions.RemoveAll(q => q.Question == e.Question && q.Job == e.Job);
                break;
            case JobEventKinds.TaskScheduled or JobEventKinds.TaskStarted or JobEventKinds.TaskRetried or JobEventKinds.TaskWaiting or JobEventKinds.TaskStopping:
                Forget(e);
                _tasks.Add(e);
                break;
            case JobEventKinds.TaskCompleted or JobEventKinds.TaskFailed or JobEventKinds.TaskCancelled:
                Forget(e);
                _questions.RemoveAll(q => q.Task == e.Task && q.Job == e.Job && q.Kind == JobEventKinds.TaskInDoubt);
                break;
        }
    }

    private void Forget(JobEvent e) => _tasks.RemoveAll(t => t.Task == e.Task && t.Job == e.Job);
}
