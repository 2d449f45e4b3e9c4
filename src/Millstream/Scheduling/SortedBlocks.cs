namespace Millstream;

/// <summary>Which things in <see cref="SortedBlocks{T, TKey}"/> are looked for, by their keys.</summary>
internal interface IKeyFilter<TKey>
{
    bool Lets(in TKey key);
}

/// <summary>
/// Things in the order of their keys, in blocks that lie in a row. Keys are copied into it and things do not know their places: to move one touches the ends of its way
/// and no other thing, and to go through them in order is to read on, which counts where thousands wait and nearly everything looked at is a cache miss.
/// </summary>
/// <remarks>Whoever adds a thing keeps the key under which it did: that names it.</remarks>
internal sealed class SortedBlocks<T, TKey>
    where T : class
    where TKey : struct, IOrderKey<TKey>
{
    private const int Size = 64;

    private Block[] blocks = [];
    private int blockCount;
    private Entry[]? spare;

    public int Count { get; private set; }

    public T First => blocks[0].Entries[0].Item;

    public IEnumerable<T> Items
    {
        get
        {
            foreach (T item in this)
            {
                yield return item;
            }
        }
    }

    /// <summary>In order; nothing may be added, moved or removed meanwhile.</summary>
    public Enumerator GetEnumerator() => new(this);

    public void Add(in TKey key, T item)
    {
        Count++;
        if (blockCount == 0)
        {
            blocks = blocks.Length == 0 ? new Block[1] : blocks;
            blocks[0].Entries ??= new Entry[1];
            blockCount = 1;
        }

        int block = BlockOf(key);
        if (blocks[block].Count == Size)
        {
            Split(block, key);
            block = BlockOf(key);
        }

        Insert(ref blocks[block], key, item);
    }

    public void Remove(in TKey key)
    {
        Count--;
        int block = BlockOf(key);
        ref Block from = ref blocks[block];
        int at = PlaceOf(from, key);
        from.Count--;
        Array.Copy(from.Entries, at + 1, from.Entries, at, from.Count - at);
        from.Entries[from.Count] = default;
        if (from.Count == 0)
        {
            Drop(block);
        }
        else if (at == 0)
        {
            from.First = from.Entries[0].Key;
        }
    }

    /// <summary>Puts a thing whose key has changed to its right place.</summary>
    public void Move(in TKey before, in TKey now)
    {
        int block = BlockOf(before);
        ref Block from = ref blocks[block];
        int at = PlaceOf(from, before);
        bool isFirst = block == 0 || !now.Before(from.First), isLast = block == blockCount - 1 || now.Before(blocks[block + 1].First);
        if (!isFirst || !isLast)
        {
            T item = from.Entries[at].Item;
            Remove(before);
            Add(now, item);
            return;
        }

        Entry[] entries = from.Entries;
        T moved = entries[at].Item;
        for (; at > 0 && now.Before(entries[at - 1].Key); at--)
        {
            entries[at] = entries[at - 1];
        }

        for (; at < from.Count - 1 && entries[at + 1].Key.Before(now); at++)
        {
            entries[at] = entries[at + 1];
        }

        entries[at] = new Entry(now, moved);
        from.First = entries[0].Key;
    }

    /// <summary>The first of those that a filter lets through; null where there is none.</summary>
    public T? FirstOf<TFilter>(TFilter filter)
        where TFilter : struct, IKeyFilter<TKey>
    {
        for (int block = 0; block < blockCount; block++)
        {
            ReadOnlySpan<Entry> entries = blocks[block].Entries.AsSpan(0, blocks[block].Count);
            for (int at = 0; at < entries.Length; at++)
            {
                if (filter.Lets(entries[at].Key))
                {
                    return entries[at].Item;
                }
            }
        }

        return null;
    }

    /// <summary>Restores the order after many keys have changed.</summary>
    public void Rebuild(Func<T, TKey> keyOf)
    {
        T[] all = [.. Items];
        TKey[] keys = Array.ConvertAll(all, i => keyOf(i));
        Array.Sort(keys, all, Comparer<TKey>.Create(static (a, b) => a.Before(b) ? -1 : b.Before(a) ? 1 : 0));
        (blocks, blockCount, Count) = ([], 0, 0);
        for (int i = 0; i < all.Length; i++)
        {
            Add(keys[i], all[i]);
        }
    }

    // The last one that does not begin behind it.
    private int BlockOf(in TKey key)
    {
        int low = 0;
        for (int high = blockCount - 1; low < high;)
        {
            int middle = (low + high + 1) >> 1;
            if (key.Before(blocks[middle].First))
            {
                high = middle - 1;
            }
            else
            {
                low = middle;
            }
        }

        return low;
    }

    private static int PlaceOf(in Block block, in TKey key)
    {
        int at = LowerBound(block, key);
        if (at == block.Count || key.Before(block.Entries[at].Key))
        {
            throw new InvalidOperationException($"Nothing stands under {key}.");
        }

        return at;
    }

    private static int LowerBound(in Block block, in TKey key)
    {
        Entry[] entries = block.Entries;
        int low = 0, high = block.Count;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (entries[middle].Key.Before(key))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static void Insert(ref Block block, in TKey key, T item)
    {
        // Mostly it comes last: a new task behind the earlier ones.
        int at = block.Count == 0 || block.Entries[block.Count - 1].Key.Before(key) ? block.Count : LowerBound(block, key);
        if (block.Count == block.Entries.Length)
        {
            Array.Resize(ref block.Entries, Math.Min(Size, block.Count * 2));
        }

        Array.Copy(block.Entries, at, block.Entries, at + 1, block.Count - at);
        block.Entries[at] = new Entry(key, item);
        block.Count++;
        if (at == 0)
        {
            block.First = key;
        }
    }

    // What is added at the very end begins a block of its own, so that those that come in order are full.
    private void Split(int block, in TKey key)
    {
        if (blockCount == blocks.Length)
        {
            Array.Resize(ref blocks, blockCount * 2);
        }

        Array.Copy(blocks, block + 1, blocks, block + 2, blockCount - block - 1);
        blockCount++;
        ref Block left = ref blocks[block];
        int keep = block == blockCount - 2 && left.Entries[Size - 1].Key.Before(key) ? Size : Size / 2;
        Entry[] right = spare ?? new Entry[Size];
        spare = null;
        Array.Copy(left.Entries, keep, right, 0, Size - keep);
        Array.Clear(left.Entries, keep, Size - keep);
        left.Count = keep;
        blocks[block + 1] = new Block { Entries = right, Count = Size - keep, First = keep == Size ? key : right[0].Key };
    }

    private void Drop(int block)
    {
        blockCount--;
        if (blockCount == 0)
        {
            return;
        }

        spare = blocks[block].Entries.Length == Size ? blocks[block].Entries : spare;
        Array.Copy(blocks, block + 1, blocks, block, blockCount - block);
        blocks[blockCount] = default;
    }

    private readonly struct Entry(TKey key, T item)
    {
        public readonly TKey Key = key;
        public readonly T Item = item;
    }

    private struct Block
    {
        public TKey First;
        public Entry[] Entries;
        public int Count;
    }

    public struct Enumerator(SortedBlocks<T, TKey> over)
    {
        private int block;
        private int at = -1;

        public readonly T Current => over.blocks[block].Entries[at].Item;

        public bool MoveNext()
        {
            if (block == over.blockCount)
            {
                return false;
            }

            if (++at == over.blocks[block].Count)
            {
                at = 0;
                block++;
            }

            return block < over.blockCount;
        }
    }
}
