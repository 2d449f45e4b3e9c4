namespace Millstream;

/// <summary>What lies in an <see cref="IndexedHeap{T}"/>: it knows its own place, so that a changed key is moved in O(log n).</summary>
internal interface IHeapItem<T>
{
    /// <summary>The item's place, -1 while it lies in no heap.</summary>
    int HeapIndex { get; set; }

    /// <summary>Whether this item goes before the other. No two items may be equal.</summary>
    bool Before(T other);
}

/// <summary>A binary heap of items that can be removed and moved.</summary>
internal sealed class IndexedHeap<T>
    where T : class, IHeapItem<T>
{
    private T[] items = new T[4];

    public int Count { get; private set; }

    public T First => items[0];

    public ReadOnlySpan<T> Items => items.AsSpan(0, Count);

    public void Add(T item)
    {
        if (Count == items.Length)
        {
            Array.Resize(ref items, Count * 2);
        }

        items[Count] = item;
        item.HeapIndex = Count++;
        Up(item.HeapIndex, item);
    }

    public void Remove(T item)
    {
        int at = item.HeapIndex;
        item.HeapIndex = -1;
        T last = items[--Count];
        items[Count] = null!;
        if (!ReferenceEquals(last, item))
        {
            items[at] = last;
            last.HeapIndex = at;
            Moved(last);
        }
    }

    /// <summary>Puts an item whose key has changed to its right place.</summary>
    public void Moved(T item)
    {
        if (Count > 1)
        {
            Up(item.HeapIndex, item);
            Down(item.HeapIndex, item);
        }
    }

    /// <summary>Restores the order after many keys have changed.</summary>
    public void Rebuild()
    {
        for (int at = Count / 2 - 1; at >= 0; at--)
        {
            Down(at, items[at]);
        }
    }

    private void Up(int at, T item)
    {
        while (at > 0)
        {
            int parent = (at - 1) >> 1;
            if (!item.Before(items[parent]))
            {
                break;
            }

            Put(at, items[parent]);
            at = parent;
        }

        Put(at, item);
    }

    private void Down(int at, T item)
    {
        for (int child = 2 * at + 1; child < Count; child = 2 * at + 1)
        {
            if (child + 1 < Count && items[child + 1].Before(items[child]))
            {
                child++;
            }

            if (!items[child].Before(item))
            {
                break;
            }

            Put(at, items[child]);
            at = child;
        }

        Put(at, item);
    }

    private void Put(int at, T item)
    {
        items[at] = item;
        item.HeapIndex = at;
    }
}
