using System.Runtime.InteropServices;

namespace Millstream.Cli.Running;

/// <summary>Notices that whoever read a pipe is gone. A write would not tell: the runtime passes over it for standard output, and a quiet task writes nothing.</summary>
internal static partial class ReaderWatch
{
    private const short Gone = 0x8 | 0x10 | 0x20; // POLLERR, POLLHUP, POLLNVAL
    private const int Interrupted = 4;

    /// <summary>Done when all of these descriptors are pipes without a reader.</summary>
    public static Task AllGoneAsync(params int[] descriptors) => OperatingSystem.IsWindows() ? Task.Delay(Timeout.Infinite) : Task.WhenAll(descriptors.Select(GoneAsync));

    private static Task GoneAsync(int descriptor)
    {
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // A thread of its own: it waits for as long as the process lives.
        new Thread(() =>
        {
            PollDescriptor watched = new() { Descriptor = descriptor };
            int ready;
            do
                ready = Poll(ref watched, 1, -1);
            while (ready < 0 && Marshal.GetLastPInvokeError() == Interrupted);
            if (ready > 0 && (watched.Returned & Gone) != 0)
                gone.TrySetResult();
        })
        { IsBackground = true, Name = $"reader of {descriptor}" }.Start();
        return gone.Task;
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Returned;
    }
}
