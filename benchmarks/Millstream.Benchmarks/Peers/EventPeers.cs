using System.Diagnostics;
using System.Threading.Channels;

namespace Millstream;

/// <summary>An event that is emitted, journalled in memory and read by one reader, beside a hop over a bare bounded Channel.</summary>
internal static class EventPeers
{
    private const int Events = 200_000, Capacity = 1_024;
    private const string Hop = "bounded Channel";

    public static PeerGroup Group() => new(new PeerLine("event stream, one reader", Hop, new PeerRun("ours", async () =>
    {
        long start = Stopwatch.GetTimestamp();
        await EngineBench.EventsAsync(Events, 1);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Events;
    }), new PeerRun(Hop, HopAsync), "ns", 1 / 3.0));

    private static async Task<double> HopAsync()
    {
        Channel<int> channel = Channel.CreateBounded<int>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
        long start = Stopwatch.GetTimestamp();
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < Events; i++)
                await channel.Writer.WriteAsync(i);
            channel.Writer.Complete();
        });
        int read = 0;
        await foreach (int e in channel.Reader.ReadAllAsync())
            read++;
        await writer;
        return read == Events ? Stopwatch.GetElapsedTime(start).TotalNanoseconds / Events : throw new InvalidOperationException($"the channel's reader saw {read} of {Events} events");
    }
}
