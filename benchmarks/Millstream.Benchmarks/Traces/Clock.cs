using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>
/// Lets replayed tasks wait to the microsecond; the timers of .NET have milliseconds. One thread sleeps in the kernel until shortly before the next task is due,
/// turns in place for the rest, and completes what the task awaits. How late tasks go on nevertheless is measured by who waits.
/// </summary>
internal sealed partial class Clock : IDisposable
{
    // A sleeping thread of a virtual machine wakes so much too late.
    private static readonly long Early = Ticks(60e-6);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private readonly int _bell = EventFd(0, NonBlocking);
    private readonly Thread _thread;
    private long _next = long.MaxValue;
    private bool _isOver;

    public Clock()
    {
        if (_bell < 0)
            throw new InvalidOperationException("The kernel gives no eventfd; `bench wfinstances` needs Linux.");
        _thread = new Thread(Run) { IsBackground = true, Name = "clock", Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    public static long Now => Stopwatch.GetTimestamp();

    public static long Ticks(double seconds) => (long)Math.Round(seconds * Stopwatch.Frequency);

    public static double Milliseconds(double ticks) => ticks * 1e3 / Stopwatch.Frequency;

    /// <summary>Done at that time of <see cref="Now"/>; goes on in the thread pool, as what waits for a device does.</summary>
    public Task UntilAsync(long due)
    {
        if (due <= Now)
            return Task.CompletedTask;
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isNext;
        lock (_gate)
        {
            _waiting.Enqueue(done, due);
            isNext = due < _next;
            if (isNext)
                _next = due;
        }
        if (isNext)
            Ring();
        return done.Task;
    }

    public void Dispose()
    {
        Volatile.Write(ref _isOver, true);
        Ring();
        _thread.Join();
        _ = Close(_bell);
    }

    private void Run()
    {
        // The kernel may round a thread's sleep up by so many nanoseconds; it is 50 us by default.
        _ = Prctl(SetTimerSlack, 1, 0, 0, 0);
        List<TaskCompletionSource> due = [];
        while (!Volatile.Read(ref _isOver))
        {
            long next = Volatile.Read(ref _next);
            long left = next - Now;
            if (left > Early)
            {
                Sleep(next == long.MaxValue ? null : left - Early);
                continue;
            }
            while (Now < next)
                Thread.SpinWait(1);
            lock (_gate)
            {
                while (_waiting.TryPeek(out TaskCompletionSource? first, out long at) && at <= Now)
                {
                    due.Add(first);
                    _waiting.Dequeue();
                }
                _next = _waiting.TryPeek(out _, out long later) ? later : long.MaxValue;
            }
            foreach (TaskCompletionSource one in due)
                one.SetResult();
            due.Clear();
        }
    }

    private void Ring()
    {
        ulong one = 1;
        _ = Write(_bell, ref one, sizeof(ulong));
    }

    private void Sleep(long? ticks)
    {
        PollFd poll = new() { Descriptor = _bell, Events = PollIn };
        TimeSpec time = new() { Seconds = (ticks ?? 0) / Stopwatch.Frequency, Nanoseconds = (ticks ?? 0) % Stopwatch.Frequency * 1_000_000_000 / Stopwatch.Frequency };
        int ready;
        unsafe
        {
            ready = Poll(&poll, 1, ticks is null ? null : &time, null);
        }
        if (ready <= 0)
            return;
        ulong rung = 0;
        _ = Read(_bell, ref rung, sizeof(ulong));
    }

    private const int NonBlocking = 0x800, SetTimerSlack = 29;
    private const short PollIn = 1;

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "eventfd")]
    private static partial int EventFd(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static unsafe partial int Poll(PollFd* polls, nuint count, TimeSpec* time, void* mask);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, ref ulong value, nuint size);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, ref ulong value, nuint size);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint a, nuint b, nuint c, nuint d);
}
