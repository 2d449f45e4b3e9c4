namespace Millstream;

/// <summary>Waiting tasks by age, oldest first. New ones come to the end; one that is queued again finds its old place.</summary>
internal struct AgeList
{
    private TaskRequest? youngest;

    public TaskRequest? Oldest { get; private set; }

    public void Add(TaskRequest request)
    {
        // A task that is queued again is mostly older than all others: no walk through them.
        TaskRequest? before = Oldest is not null && Oldest.ClassSince > request.ClassSince ? null : youngest;
        while (before is not null && before.ClassSince > request.ClassSince)
        {
            before = before.Older;
        }

        request.Older = before;
        request.Younger = before is null ? Oldest : before.Younger;
        if (request.Younger is null)
        {
            youngest = request;
        }
        else
        {
            request.Younger.Older = request;
        }

        if (before is null)
        {
            Oldest = request;
        }
        else
        {
            before.Younger = request;
        }
    }

    public void Remove(TaskRequest request)
    {
        if (request.Older is null)
        {
            Oldest = request.Younger;
        }
        else
        {
            request.Older.Younger = request.Younger;
        }

        if (request.Younger is null)
        {
            youngest = request.Older;
        }
        else
        {
            request.Younger.Older = request.Older;
        }

        request.Older = request.Younger = null;
    }
}
