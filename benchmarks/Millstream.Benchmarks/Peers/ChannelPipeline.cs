using System.Threading.Channels;

namespace Millstream;

/// <summary>A pipeline by hand: a loop for each stage, and a bounded Channel before it. It stands before the clock runs, so that only the passing is timed.</summary>
internal sealed class ChannelPipeline : IAsyncDisposable
{
    private const int Capacity = 64;

    private readonly Channel<int> _first = New();
    private readonly Channel<int> _last;
    private readonly List<Task> _stages = [];

    public ChannelPipeline(int stages)
    {
        _last = _first;
        for (int i = 0; i < stages; i++)
        {
            Channel<int> next = New();
            _stages.Add(StageAsync(_last.Reader, next.Writer));
            _last = next;
        }
    }

    public async Task<int> RunAsync(int input)
    {
        await _first.Writer.WriteAsync(input);
        return await _last.Reader.ReadAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _first.Writer.Complete();
        await Task.WhenAll(_stages);
    }

    /// <summary>As many loops as a worker has slots, between two channels.</summary>
    public static async Task<int> FanOutAsync(int[] inputs)
    {
        Channel<int> work = Channel.CreateBounded<int>(new BoundedChannelOptions(inputs.Length) { SingleWriter = true }), done = Channel.CreateBounded<int>(new BoundedChannelOptions(inputs.Length) { SingleReader = true });
        Task[] loops = [.. Enumerable.Range(0, Capacity).Select(_ => StageAsync(work.Reader, done.Writer, completes: false))];
        foreach (int input in inputs)
            await work.Writer.WriteAsync(input);
        work.Writer.Complete();
        int sum = 0;
        for (int i = 0; i < inputs.Length; i++)
            sum += await done.Reader.ReadAsync();
        await Task.WhenAll(loops);
        return sum;
    }

    private static Channel<int> New() => Channel.CreateBounded<int>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });

    private static async Task StageAsync(ChannelReader<int> from, ChannelWriter<int> to, bool completes = true)
    {
        await foreach (int value in from.ReadAllAsync())
            await to.WriteAsync(value + 1);
        if (completes)
            to.Complete();
    }
}
