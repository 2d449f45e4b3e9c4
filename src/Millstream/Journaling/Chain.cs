using System.Buffers.Binary;
using System.IO.Hashing;

namespace Millstream;

/// <summary>
/// The chained hash of a job's records: each holds XxHash128 of the one before it and of its own entries, so that damage, a missing record or one out of
/// place is noticed and named. It finds accidents, not attackers.
/// </summary>
internal readonly record struct Chain(UInt128 Value)
{
    public const int Size = 16;

    /// <summary>Of a job's first record.</summary>
    public static Chain Start(JobId job)
    {
        Span<byte> id = stackalloc byte[256];
        int length = System.Text.Encoding.ASCII.GetBytes(job.Value.AsSpan(0, Math.Min(job.Value.Length, id.Length)), id);
        return new Chain(XxHash128.HashToUInt128(id[..length]));
    }

    /// <summary>The hash after a record whose entries these are.</summary>
    public Chain Next(ReadOnlySpan<byte> entries)
    {
        Span<byte> before = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt128LittleEndian(before, Value);
        XxHash128 hash = new();
        hash.Append(before);
        hash.Append(entries);
        return new Chain(hash.GetCurrentHashAsUInt128());
    }

    public void WriteTo(Span<byte> to) => BinaryPrimitives.WriteUInt128LittleEndian(to, Value);

    public static Chain Read(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt128LittleEndian(from));
}
