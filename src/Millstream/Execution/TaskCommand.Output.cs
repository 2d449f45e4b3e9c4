namespace Millstream;

/// <content>What attempts have shown while they ran.</content>
internal abstract partial class TaskCommand
{

    /// <summary>Tells readers to drop what an earlier attempt has shown: another one follows.</summary>
    /// <param name="upTo">The last attempt that is not the one that follows.</param>
    public void Supersede(int upTo)
    {
        // Only the end of an attempt sets it, and this begins the next one.
        if (Shown.Attempt == 0)
            return;
        ShownOutput shown;
        lock (this)
        {
            if (Shown.Attempt > upTo)
                return;
            (shown, Shown) = (Shown, default);
        }
#if MILLSTREAM_PLANTED_BUGS
        if (PlantedBugs.Is(Bug.SupersededForgotten)) return;
#endif
        if (shown.Attempt > 0)
            Runner.Note(new JournalEntry(EntryKind.Superseded) { Command = Number, Subject = Subject, Attempt = shown.Attempt, Payload = new SupersededOf(shown.From, shown.To) });
    }
}
