using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>By what waiting things are ordered.</summary>
internal interface IOrderKey<TKey>
{
    /// <summary>Whether this goes before the other. No two keys in one order may be equal.</summary>
    bool Before(in TKey other);
}

/// <summary>What lies in an <see cref="IndexedHeap{T, TKey}"/>: it knows its number there, so that a changed key is moved in O(log n).</summary>
internal interface IHeapItem<TKey>
{
    /// <summary>The item's number in its heap, -1 while it lies in none.</summary>
    int HeapNumber { get; set; }

    TKey HeapKey { get; }
}

/// <summary>
/// A heap of items that can be removed and moved. The keys are copied into it, each place has four below it, and where an item lies is noted by its number in one array: with
/// thousands of items nearly every item looked at or told its new place would be a cache miss.
/// </summary>
internal sealed class IndexedHeap<T, TKey>
    where T : class, IHeapItem<TKey>
    where TKey : struct, IOrderKey<TKey>
{
    private const int Width = 4;

    private (TKey Key, int Number)[] entries = new (TKey, int)[1];

    // By number. Of free numbers the place is the next free one.
    private T?[] items = new T?[1];
    private int[] places = new int[1];
    private int free = -1;
    private int numbers;

    public int Count { get; private set; }

    public T First => items[entries[0].Number]!;

    public IEnumerable<T> Items
    {
        get
        {
            for (int i = 0; i < Count; i++)
            {
                yield return items[entries[i].Number]!;
            }
        }
    }

    public void Add(T item)
    {
        if (Count == entries.Length)
        {
            Array.Resize(ref entries, Count * 2);
            Array.Resize(ref items, Count * 2);
            Array.Resize(ref places, Count * 2);
        }

        int number = free;
        if (number < 0)
        {
            number = numbers++;
        }
        else
        {
            free = places[number];
        }

        item.HeapNumber = number;
        items[number] = item;
        Up(Count++, (item.HeapKey, number));
    }

    public void Remove(T item)
    {
        int number = item.HeapNumber, at = places[number];
        item.HeapNumber = -1;
        items[number] = null;
        (places[number], free) = (free, number);
        (TKey Key, int Number) last = entries[--Count];
        entries[Count] = default;
        if (at != Count)
        {
            Place(at, last);
        }
    }

    /// <summary>Puts an item whose key has changed to its right place.</summary>
    public void Moved(T item) => Place(places[item.HeapNumber], (item.HeapKey, item.HeapNumber));

    /// <summary>Restores the order after many keys have changed.</summary>
    public void Rebuild()
    {
        for (int i = 0; i < Count; i++)
        {
            entries[i].Key = items[entries[i].Number]!.HeapKey;
        }

        for (int at = Count / Width; at >= 0 && Count > 1; at--)
        {
            Down(at, entries[at]);
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
            (TKey Key, int Number)[] entries = heap!.entries;
            int next = ahead[0];
            item = heap.items[entries[next].Number]!;
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

        private void Sink((TKey Key, int Number)[] entries, int place)
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

    private void Place(int at, (TKey Key, int Number) entry)
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

    private void Up(int at, (TKey Key, int Number) entry)
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

    private void Down(int at, (TKey Key, int Number) entry)
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

    private void Put(int at, in (TKey Key, int Number) entry)
    {
        entries[at] = entry;
        places[entry.Number] = at;
    }
}
