namespace Millstream.Simulation;

/// <summary>Reads one ended job's journal from its first entry to its last and checks what must hold of it.</summary>
internal class JournalAudit(History history, JobRecord job)
{
    private readonly Dictionary<int, JournalEntry> _commands = [];
    private readonly HashSet<int> _ended = [];
    private readonly HashSet<int> _stopped = [];
    private readonly Dictionary<int, AttemptState> _attempts = [];
    private readonly Dictionary<(int Command, int Attempt), int> _pieces = [];
    private bool _isCancelled;
    private bool _isReturned;
    private long _events;

    public void Check()
    {
        List<(JournalEntry Entry, int Batch)> entries = job.Journal.Entries;
        if (job.Journal.Written != entries.Count)
            Fail($"the journal has {entries.Count} entries, {job.Journal.Written} are written");
        long time = 0;
        for (int i = 0; i < entries.Count; i++)
        {
            JournalEntry entry = entries[i].Entry;
            if (entry.Number != i + 1)
                Fail($"entry {i + 1} has number {entry.Number}");
            if ((entry.Kind == EntryKind.JobStarted) != (i == 0))
                Fail($"entry {i + 1} is {entry.Kind}");
            if (entry.IsEnding != (i == entries.Count - 1))
                Fail(entry.IsEnding ? $"entry {i + 1} ends the job and is not the last" : "the last entry is no ending");
            if (entry.Time < time)
                Fail($"entry {i + 1} is older than the one before");
            time = Math.Max(time, entry.Time);
            CheckTurn(entries, i);
            CheckEntry(entry);
            if (entry.Kind is EntryKind.JobCancelling or EntryKind.JobReturned)
                CheckStops(entries, i);
        }
        if (_commands.Count != _ended.Count)
            Fail($"of {_commands.Count} commands {_ended.Count} have ended");
        CheckSignals([.. entries.Where(e => e.Entry.Kind == EntryKind.Signal).Select(e => JobRecord.Int(e.Entry.Payload))]);
        CheckAnswers([.. entries.Where(e => e.Entry.Kind == EntryKind.QuestionAnswered).Select(e => e.Entry)]);
        CheckResults([.. entries.Where(e => e.Entry.Kind == EntryKind.TaskCompleted).Select(e => JobRecord.Int(e.Entry.Payload))]);
        if (_isCancelled && entries[^1].Entry.Kind == EntryKind.JobCompleted)
            Fail("it was cancelled and has completed");
        if (!_isCancelled && entries[^1].Entry.Kind == EntryKind.JobCancelled)
            Fail("it ended cancelled and was not");
        if (history.WorkflowOf(job) is { } workflow)
            new WorkflowAudit(history, job).Check(workflow);
        CheckMore();
        if (entries[^1].Entry.Payload is JobError { Type: ErrorTypes.OutsideTurn } error)
            Fail($"its body is said to have left its turn: {error.Message}");
    }

    /// <summary>What else must hold.</summary>
    protected virtual void CheckMore()
    {
    }

    private void CheckTurn(List<(JournalEntry Entry, int Batch)> entries, int i)
    {
        (JournalEntry entry, int batch) = entries[i];
        bool isFirst = i == 0 || entries[i - 1].Batch != batch;
        bool isLast = i == entries.Count - 1 || entries[i + 1].Batch != batch;
        bool isNote = entry is { IsDelivery: false, IsCommand: false, IsEnding: false };
        if (isNote && !(isFirst && isLast))
            Fail($"note {entry.Number} {entry.Kind} is part of a turn");
        if (entry.IsDelivery && !isFirst)
            Fail($"delivery {entry.Number} {entry.Kind} does not begin its turn");
        if (entry.EndsTurn != (isLast && !isNote))
            Fail($"entry {entry.Number} {entry.Kind}: a turn's record and its append differ");
        // A turn that a fault or the end of the grace begins has no delivery of its own, and commands only of what ends the job.
        if (isFirst && entry.IsCommand && entry.Kind is not (EntryKind.JobReturned or EntryKind.TaskStopping or EntryKind.TimerStopping or EntryKind.QuestionWithdrawing or EntryKind.ChildStopping))
            Fail($"command {entry.Number} {entry.Kind} came in a record without its delivery");
    }

    private void CheckEntry(JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.TaskScheduled or EntryKind.QuestionAsked or EntryKind.TimerSet or EntryKind.ChildStarted:
            case EntryKind.Flush when !_commands.ContainsKey(entry.Command):
                if (entry.Command != _commands.Count + 1)
                    Fail($"command {entry.Command} comes after {_commands.Count} others");
                if (!_commands.TryAdd(entry.Command, entry))
                    Fail($"command {entry.Command} was given twice");
                if (_isCancelled && !history.Plans[job.Plan].HasCleanUp)
                    Fail($"command {entry.Command} {entry.Kind} came after the cancel");
                if (_isReturned)
                    Fail($"command {entry.Command} {entry.Kind} came after the end of the body");
                break;
            case EntryKind.TaskStopping or EntryKind.TimerStopping or EntryKind.QuestionWithdrawing or EntryKind.ChildStopping:
                if (!_commands.ContainsKey(entry.Command) || _ended.Contains(entry.Command) || !_stopped.Add(entry.Command))
                    Fail($"entry {entry.Number} {entry.Kind} stops what was not there, or twice");
                break;
            case EntryKind.TaskStarted or EntryKind.TaskDelta or EntryKind.TaskRetried or EntryKind.Superseded:
                CheckAttempt(entry);
                break;
            case EntryKind.TaskCompleted or EntryKind.TaskFailed or EntryKind.TaskCancelled or EntryKind.QuestionAnswered or EntryKind.QuestionWithdrawn
                or EntryKind.TimerFired or EntryKind.TimerStopped or EntryKind.ChildCompleted or EntryKind.ChildFailed or EntryKind.ChildCancelled or EntryKind.Flushed:
                CheckFailure(entry);
                CheckEnd(entry);
                break;
            case EntryKind.Resumed:
                // What ran in the process that is gone has ended with it.
                foreach ((int command, AttemptState attempt) in _attempts.ToArray())
                    _attempts[command] = attempt with { IsOver = true };
                break;
            case EntryKind.Event when job.Runner is not null && history.WorkflowOf(job) is null && (int)entry.Payload! != ++_events:
                Fail($"event {entry.Payload} stands where {_events} should");
                break;
            case EntryKind.JobCancelling:
                if (_isCancelled)
                    Fail("it was cancelled twice");
                _isCancelled = true;
                break;
            case EntryKind.JobReturned:
                _isReturned = true;
                break;
        }
    }

    // A cancel, or the end of the body, stops what is open and says so in the same record.
    private void CheckStops(List<(JournalEntry Entry, int Batch)> entries, int i)
    {
        HashSet<int> stopping = [];
        for (int j = i + 1; j < entries.Count && entries[j].Batch == entries[i].Batch; j++)
            stopping.Add(entries[j].Entry.Command);
        foreach ((int number, JournalEntry command) in _commands)
        {
            if (entries[i].Entry.Kind == EntryKind.JobCancelling && (job.LeftToCleanUp.Contains(number) || (job.Runner is null && history.Plans[job.Plan].HasCleanUp)))
                continue;
            // A receipt comes by itself at once.
            if (command.Kind != EntryKind.Flush && !_ended.Contains(number) && !_stopped.Contains(number) && !stopping.Contains(number))
                Fail($"{entries[i].Entry.Kind} did not stop command {number} {command.Kind} {command.Subject}");
        }
    }

    private void CheckEnd(JournalEntry entry)
    {
        if (!_commands.TryGetValue(entry.Command, out JournalEntry? command))
            Fail($"entry {entry.Number} {entry.Kind} ends what was not there");
        else if (!_ended.Add(entry.Command))
            Fail($"entry {entry.Number} {entry.Kind} ends command {entry.Command} a second time");
        else if (entry.Kind == EntryKind.TimerFired && entry.Time < (long)command.Payload!)
            Fail($"timer {entry.Command} fired before its time");
        else if (entry.Kind == EntryKind.TimerFired && IsOverdue(command, entry))
            Fail($"timer {entry.Command} fired long after its time, since the clock was set back");
        else if (entry.Kind is EntryKind.TimerStopped or EntryKind.QuestionWithdrawn && !_stopped.Contains(entry.Command))
            Fail($"entry {entry.Number} {entry.Kind}: nobody stopped it");
        if (entry.Attempt > 0 && _attempts.TryGetValue(entry.Command, out AttemptState attempt))
        {
            if (attempt.Attempt != entry.Attempt && !(attempt.IsOver && attempt.Attempt + 1 == entry.Attempt))
                Fail($"entry {entry.Number} {entry.Kind} is of attempt {entry.Attempt}, but attempt {attempt.Attempt} was the last");
            if (attempt.IsOver && entry.Kind == EntryKind.TaskCompleted)
                Fail($"entry {entry.Number}: an attempt that was retried has completed");
        }
        else if (entry.Kind == EntryKind.TaskCompleted)
        {
            Fail($"entry {entry.Number}: a task that never started has completed");
        }
    }

    // In one process it takes as long as it says, whatever the clock says meanwhile. A slow machine may be late by the time of others' timers.
    private bool IsOverdue(JournalEntry set, JournalEntry fired) => job.Runner is not null && history.Time.Jumps
        && job.Journal.AddedAt[(int)fired.Number - 1] - job.Journal.AddedAt[(int)set.Number - 1] > (long)set.Payload! - set.Time + TimeSpan.TicksPerHour;

    private void CheckAttempt(JournalEntry entry)
    {
        AttemptState now = _attempts.GetValueOrDefault(entry.Command);
        if (!_commands.ContainsKey(entry.Command) || _ended.Contains(entry.Command))
            Fail($"entry {entry.Number} {entry.Kind} is of a task that is not open");
        switch (entry.Kind)
        {
            case EntryKind.TaskStarted:
                // An attempt that was given up before it ran leaves a gap.
                if (entry.Attempt <= now.Attempt || (now.Attempt > 0 && !now.IsOver))
                    Fail($"entry {entry.Number}: attempt {entry.Attempt} of {entry.Subject} started after attempt {now.Attempt}");
                if (now.From > 0)
                    Fail($"entry {entry.Number}: attempt {entry.Attempt} of {entry.Subject} started, and what attempt {now.Attempt} has shown is not superseded");
                _attempts[entry.Command] = new AttemptState(entry.Attempt, 0, false, now.Failures, 0, 0);
                break;
            case EntryKind.TaskDelta:
                if (entry.Attempt != now.Attempt || now.IsOver)
                    Fail($"entry {entry.Number}: a delta of attempt {entry.Attempt} of {entry.Subject} came after its end");
                string output = System.Text.Encoding.UTF8.GetString(((DeltaChunk)entry.Payload!).Bytes), piece = Attempt.Piece($"{job.Id}/{entry.Command}", entry.Attempt);
                int pieces = output.Length / piece.Length;
                if (pieces == 0 || output != string.Concat(Enumerable.Repeat(piece, pieces)))
                    Fail($"entry {entry.Number} is a delta of attempt {entry.Attempt} of command {entry.Command}, and it is '{output}'");
                if (((DeltaChunk)entry.Payload!).Index != now.Deltas)
                    Fail($"entry {entry.Number}: delta {((DeltaChunk)entry.Payload!).Index} of {entry.Subject} stands where {now.Deltas} should");
                _pieces[(entry.Command, entry.Attempt)] = _pieces.GetValueOrDefault((entry.Command, entry.Attempt)) + pieces;
                _attempts[entry.Command] = now with { Deltas = now.Deltas + 1, From = now.From == 0 ? entry.Number : now.From, To = entry.Number };
                break;
            case EntryKind.Superseded:
                if (entry.Attempt != now.Attempt || !now.IsOver || entry.Payload is not SupersededOf superseded || (superseded.From, superseded.To) != (now.From, now.To))
                    Fail($"entry {entry.Number}: {entry.Payload} of attempt {entry.Attempt} of {entry.Subject} does not name what it has shown, {now.From} to {now.To} of attempt {now.Attempt}");
                _attempts[entry.Command] = now with { From = 0, To = 0 };
                break;
            default:
                int failures = now.Failures + (entry.Payload is RetryOf { Error.Type: not (ErrorTypes.LeaseLost or ErrorTypes.ResourceBusy) } ? 1 : 0);
                if (failures >= history.AttemptsOf(entry.Subject!))
                    Fail($"entry {entry.Number}: {entry.Subject} has failed {failures} times and is tried again");
                _attempts[entry.Command] = now with { Attempt = entry.Attempt, IsOver = true, Failures = failures };
                break;
        }
    }

    // What a busy resource refused is tried again however often, and does not count.
    private void CheckFailure(JournalEntry entry)
    {
        if (entry.Kind != EntryKind.TaskFailed || entry.Payload is not TaskError { Retryable: true } error)
            return;
        int failures = _attempts.GetValueOrDefault(entry.Command).Failures + 1, attempts = history.AttemptsOf(entry.Subject!);
        if (error.Type == ErrorTypes.ResourceBusy || failures < attempts)
            Fail($"entry {entry.Number}: {entry.Subject} failed for good with {error.Type} after {failures} failures, and may fail {attempts} times");
    }

    protected virtual void CheckSignals(List<int> recorded)
    {
        List<int> accepted = [.. job.Sent.Where(s => s.Result == SignalResult.Accepted).Select(s => s.Value)];
        if (!accepted.SequenceEqual(recorded))
            Fail($"accepted were signals {string.Join(',', accepted)}, recorded are {string.Join(',', recorded)}");
        if (!recorded.Take(job.Body.Received.Count).SequenceEqual(job.Body.Received))
            Fail($"recorded are signals {string.Join(',', recorded)}, the body got {string.Join(',', job.Body.Received)}");
        foreach (IGrouping<string?, SentSignal> same in job.Sent.Where(s => s.Id is not null && s.Result == SignalResult.Accepted).GroupBy(s => s.Id).Where(g => g.Count() > 1))
            Fail($"signal id {same.Key} was accepted {same.Count()} times");
        foreach (SentSignal duplicate in job.Sent.Where(s => s.Result == SignalResult.Duplicate && !job.Sent.Exists(f => f.Id == s.Id && f.Result == SignalResult.Accepted)))
            Fail($"signal {duplicate.Value} was refused as a duplicate of nothing");
        if (job.Sent.Exists(s => s.Result is null) || job.Answers.Exists(a => a.Result is null))
            Fail("a sender never heard what became of its signal or answer");
    }

    protected virtual void CheckAnswers(List<JournalEntry> recorded)
    {
        List<int> accepted = [.. job.Answers.Where(a => a.Result == SignalResult.Accepted).Select(a => a.Value).Order()];
        List<int> values = [.. recorded.Select(e => JobRecord.Int(e.Payload)).Order()];
        if (!accepted.SequenceEqual(values))
            Fail($"accepted were answers {string.Join(',', accepted)}, recorded are {string.Join(',', values)}");
        foreach ((int question, int reply) in job.Body.Replies)
        {
            if (!job.Answers.Exists(a => a.Question == question && a.Value == reply && a.Result == SignalResult.Accepted))
                Fail($"question {question} got reply {reply}, which nobody gave");
        }
    }

    private void CheckResults(List<int> recorded)
    {
        HashSet<int> known = [.. recorded];
        if (known.Count != recorded.Count)
            Fail("a task's result is recorded twice");
        HashSet<int> got = [.. job.Body.Results];
        if (got.Count != job.Body.Results.Count || !got.IsSubsetOf(known))
            Fail($"the body got results {string.Join(',', job.Body.Results)}, recorded are {string.Join(',', recorded)}");
        foreach (int result in recorded)
        {
            if (!history.Ledger.Returned.TryGetValue(result, out Attempt? attempt) || attempt.Job != job)
                Fail($"result {result} is recorded, and no task of the job gave it");
            // What its code gave after its end may still be in time.
            else if (_pieces.GetValueOrDefault((attempt.Command, attempt.Number)) is var pieces && pieces != attempt.Pieces && pieces != attempt.Pieces + 1)
                Fail($"{attempt} gave its result after {attempt.Pieces} pieces of output, and {pieces} are recorded");
        }
    }

    protected void Fail(string what) => history.Fail($"{job.Id}: {what}", job);

    private readonly record struct AttemptState(int Attempt, int Deltas, bool IsOver, int Failures, long From, long To);
}
