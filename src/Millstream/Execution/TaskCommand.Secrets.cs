namespace Millstream;

/// <content>A task whose secrets have no value in this process waits for them, without a lease.</content>
internal abstract partial class TaskCommand
{
    /// <summary>How long it waits before it looks again.</summary>
    public static readonly TimeSpan SecretPause = TimeSpan.FromSeconds(5);


    /// <summary>What its input names and is not there.</summary>
    public SecretMissingException? FindMissing()
    {
        if (!task.InputType.HoldsSecrets)
            return null;
        Secrets ??= Secret.In(task.InputType, input);
        return Secrets.Select(s => s.Missing()).FirstOrDefault(m => m is not null);
    }

    /// <summary>Tells it in the stream, once for each reason.</summary>
    private void NoteMissing(SecretMissingException missing)
    {
        if (Missing?.Message == missing.Message)
            return;
        Missing = missing;
        Runner.Note(new JournalEntry(EntryKind.TaskWaiting) { Command = Number, Subject = Subject, Attempt = _attempts + 1, Payload = missing.Message });
    }

    /// <summary>Whether what it waits for is still missing.</summary>
    private bool IsStillMissing()
    {
        if (Missing is not { } missing)
            return false;
        if ((missing.Secret.Missing() ?? FindMissing()) is { } now)
        {
            NoteMissing(now);
            return true;
        }
        Missing = null;
        return false;
    }
}
