using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>By what things in an <see cref="IndexedHeap{T, TKey}"/> are ordered.</summary>
internal interface IHeapKey<TKey>
{
    /// <summary>Whether this goes before the other. No two keys in a heap may be equal.</summary>
    bool Before(in TKey other);
}

/// <summary>Which items of an <see cref="IndexedHeap{T, TKey}"/> are looked for, by their keys.</summary>
internal interface IHeapFilter<TKey>
{
    bool Lets(in TKey key);
}

/// <summary>What lies in an <see cref="IndexedHeap{T, TKey}"/>: it knows its own place, so that a changed key is moved in O(log n).</summary>
internal interface IHeapItem<TKey>
{
    /// <summary>The item's place, -1 while it lies in no heap.</summary>
    int HeapIndex { get; set; }

    TKey HeapKey { get; }
}

/// <summary>
/// A heap of items that can be removed and moved. The keys are copied into it and each place has four below it: with thousands of items
/// nearly every item looked at would be a cache miss.
/// </summary>
internal sealed class IndexedHeap<T, TKey>
    where T : class, IHeapItem<TKey>
    where TKey : struct, IHeapKey<TKey>
{
    private const int Width = 4;

    private (TKey Key, T Item)[] entries = new (TKey, T)[1];

    public int Count { get; private set; }

    public T First => entries[0].Item;

    public IEnumerable<T> Items
    {
        get
        {
            for (int i = 0; i < Count; i++)
            {
                yield return entries[i].Item;
            }
        }
    }

    public void Add(T item)
    {
        if (Count == entries.Length)
        {
            Array.Resize(ref entries, Count * 2);
        }

        Up(Count++, (item.HeapKey, item));
    }

    public void Remove(T item)
    {
        int at = item.HeapIndex;
        item.HeapIndex = -1;
        (TKey Key, T Item) last = entries[--Count];
        entries[Count] = default;
        if (at != Count)
        {
            Place(at, last);
        }
    }

    /// <summary>Puts an item whose key has changed to its right place.</summary>
    public void Moved(T item) => Place(item.HeapIndex, (item.HeapKey, item));

    /// <summary>Restores the order after many keys have changed.</summary>
    public void Rebuild()
    {
        for (int i = 0; i < Count; i++)
        {
            entries[i].Key = entries[i].Item.HeapKey;
        }

        for (int at = Count / Width; at >= 0 && Count > 1; at--)
        {
            Down(at, entries[at]);
        }
    }

    /// <summary>The first of those that a filter lets through; null where there is none.</summary>
    public T? FirstOf<TFilter>(TFilter filter)
        where TFilter : struct, IHeapFilter<TKey>
    {
        int best = -1;
        Search(0, filter, ref best);
        return best < 0 ? null : entries[best].Item;
    }

    private void Search<TFilter>(int at, TFilter filter, ref int best)
        where TFilter : struct, IHeapFilter<TKey>
    {
        for (int end = at == 0 ? Math.Min(1, Count) : Math.Min(at + Width, Count); at < end; at++)
        {
            ref readonly TKey key = ref entries[at].Key;
            if (best >= 0 && !key.Before(entries[best].Key))
            {
                continue;
            }

            if (filter.Lets(key))
            {
                best = at;
            }
            else if (Width * at + 1 < Count)
            {
                Search(Width * at + 1, filter, ref best);
            }
        }
    }

    /// <summary>Gives the items in their order as long as they are asked for; the heap must not change meanwhile.</summary>
    internal sealed class Walk
    {
        private readonly List<int> ahead = [];
        private IndexedHeap<T, TKey>? heap;

        public void Begin(IndexedHeap<T, TKey> over)
        {
            heap = over;
            ahead.Clear();
            if (over.Count > 0)
            {
                ahead.Add(0);
            }
        }

        public bool TryNext([NotNullWhen(true)] out T? item)
        {
            item = null;
            if (ahead.Count == 0)
            {
                return false;
            }

            // What may come next is a heap of places.
            (TKey Key, T Item)[] entries = heap!.entries;
            int next = ahead[0];
            item = entries[next].Item;
            int from = Width * next + 1, to = Math.Min(from + Width, heap.Count);
            if (from < to)
            {
                Sink(entries, from++);
            }
            else
            {
                int last = ahead[^1];
                ahead.RemoveAt(ahead.Count - 1);
                if (ahead.Count > 0)
                {
                    Sink(entries, last);
                }
            }

            for (; from < to; from++)
            {
                int at = ahead.Count;
                ahead.Add(from);
                for (; at > 0 && entries[from].Key.Before(entries[ahead[(at - 1) / 2]].Key); at = (at - 1) / 2)
                {
                    ahead[at] = ahead[(at - 1) / 2];
                }

                ahead[at] = from;
            }

            return true;
        }

        private void Sink((TKey Key, T Item)[] entries, int place)
        {
            int at = 0;
            for (int child = 1; child < ahead.Count; child = 2 * at + 1)
            {
                if (child + 1 < ahead.Count && entries[ahead[child + 1]].Key.Before(entries[ahead[child]].Key))
                {
                    child++;
                }

                if (!entries[ahead[child]].Key.Before(entries[place].Key))
                {
                    break;
                }

                ahead[at] = ahead[child];
                at = child;
            }

            ahead[at] = place;
        }
    }

    private void Place(int at, (TKey Key, T Item) entry)
    {
        if (at > 0 && entry.Key.Before(entries[(at - 1) / Width].Key))
        {
            Up(at, entry);
        }
        else
        {
            Down(at, entry);
        }
    }

    private void Up(int at, (TKey Key, T Item) entry)
    {
        while (at > 0)
        {
            int parent = (at - 1) / Width;
            if (!entry.Key.Before(entries[parent].Key))
            {
                break;
            }

            Put(at, entries[parent]);
            at = parent;
        }

        Put(at, entry);
    }

    private void Down(int at, (TKey Key, T Item) entry)
    {
        for (int child = Width * at + 1; child < Count; child = Width * at + 1)
        {
            int end = Math.Min(child + Width, Count);
            for (int other = child + 1; other < end; other++)
            {
                if (entries[other].Key.Before(entries[child].Key))
                {
                    child = other;
                }
            }

            if (!entries[child].Key.Before(entry.Key))
            {
                break;
            }

            Put(at, entries[child]);
            at = child;
        }

        Put(at, entry);
    }

    private void Put(int at, in (TKey Key, T Item) entry)
    {
        entries[at] = entry;
        entry.Item.HeapIndex = at;
    }
}
