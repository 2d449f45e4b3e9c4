namespace Millstream;

/// <summary>
/// One job's waiting tasks of one shape and class, by rank, then number. What comes in order (the usual fan-out) is a
/// linked list; only what comes out of order costs a heap.
/// </summary>
internal struct RequestQueue
{
    private TaskRequest? first;
    private TaskRequest? last;
    private IndexedHeap<TaskRequest, TaskRequest.Place>? unordered;

    public readonly bool IsEmpty => first is null && (unordered is null || unordered.Count == 0);

    public readonly TaskRequest Head
    {
        get
        {
            if (unordered is null || unordered.Count == 0)
            {
                return first!;
            }

            return first is null || unordered.First.Before(first) ? unordered.First : first;
        }
    }

    public void Add(TaskRequest request)
    {
        if (last is null)
        {
            first = last = request;
        }
        else if (last.Before(request))
        {
            request.Previous = last;
            last.Next = request;
            last = request;
        }
        else if (request.Before(first!))
        {
            request.Next = first;
            first!.Previous = request;
            first = request;
        }
        else
        {
            (unordered ??= new()).Add(request);
        }
    }

    public void Remove(TaskRequest request)
    {
        if (request.HeapNumber >= 0)
        {
            unordered!.Remove(request);
            return;
        }

        if (request.Previous is null)
        {
            first = request.Next;
        }
        else
        {
            request.Previous.Next = request.Next;
        }

        if (request.Next is null)
        {
            last = request.Previous;
        }
        else
        {
            request.Next.Previous = request.Previous;
        }

        request.Next = request.Previous = null;
    }

    public readonly IEnumerable<TaskRequest> All()
    {
        for (TaskRequest? r = first; r is not null; r = r.Next)
        {
            yield return r;
        }

        foreach (TaskRequest r in unordered?.Items ?? [])
        {
            yield return r;
        }
    }
}
