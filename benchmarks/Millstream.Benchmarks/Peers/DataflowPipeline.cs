using System.Threading.Tasks.Dataflow;

namespace Millstream;

/// <summary>The same pipeline of TPL Dataflow's blocks, linked before the clock runs.</summary>
internal sealed class DataflowPipeline
{
    private const int Slots = 64;

    private readonly ITargetBlock<int> _first;
    private readonly ISourceBlock<int> _last;

    public DataflowPipeline(int stages)
    {
        TransformBlock<int, int> last = New(1);
        _first = last;
        for (int i = 1; i < stages; i++)
        {
            TransformBlock<int, int> next = New(1);
            last.LinkTo(next);
            last = next;
        }
        _last = last;
    }

    public async Task<int> RunAsync(int input)
    {
        await _first.SendAsync(input);
        return await _last.ReceiveAsync();
    }

    public static async Task<int> FanOutAsync(int[] inputs)
    {
        TransformBlock<int, int> block = New(Slots);
        foreach (int input in inputs)
            await block.SendAsync(input);
        int sum = 0;
        for (int i = 0; i < inputs.Length; i++)
            sum += await block.ReceiveAsync();
        return sum;
    }

    private static TransformBlock<int, int> New(int parallel) => new(n => n + 1, new ExecutionDataflowBlockOptions { MaxDegreeOfParallelism = parallel, EnsureOrdered = false });
}
