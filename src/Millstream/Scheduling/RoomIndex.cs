using System.Numerics;

namespace Millstream;

/// <summary>How much the units of one type have to give, by blocks, so that units with much room are found without a look at all.</summary>
internal sealed class RoomIndex(ResourceType type)
{
    private const int Block = 64;

    // The most that one unit of a block has; -1 where that must be looked up.
    private long[] most = [];

    public void Changed(int unit)
    {
        int block = unit / Block;
        if (block >= most.Length)
        {
            int before = most.Length;
            Array.Resize(ref most, Math.Max(block + 1, before * 2));
            most.AsSpan(before).Fill(-1);
        }

        most[block] = -1;
    }

    /// <summary>Units have other numbers now.</summary>
    public void Removed() => most.AsSpan().Fill(-1);

    /// <summary>The next unit that matches and has so much room; -1 where there is none.</summary>
    public int Next(int from, ulong[] match, long amount)
    {
        for (int block = from / Block; block < match.Length; block++, from = block * Block)
        {
            ulong left = match[block] & (ulong.MaxValue << (from % Block));
            if (left == 0 || (amount > 1 && Most(block) < amount))
            {
                continue;
            }

            for (; left != 0; left &= left - 1)
            {
                int unit = block * Block + BitOperations.TrailingZeroCount(left);
                if (type.Units[unit].Room >= amount)
                {
                    return unit;
                }
            }
        }

        return -1;
    }

    private long Most(int block)
    {
        if (block >= most.Length)
        {
            return long.MaxValue;
        }

        if (most[block] < 0)
        {
            long found = 0;
            for (int i = block * Block, end = Math.Min(type.Units.Count, i + Block); i < end; i++)
            {
                found = Math.Max(found, type.Units[i].Room);
            }

            most[block] = found;
        }

        return most[block];
    }
}
