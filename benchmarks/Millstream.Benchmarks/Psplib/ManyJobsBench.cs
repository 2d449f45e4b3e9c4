namespace Millstream;
internal static class ManyJobsBench { public static int Run(PsplibSettings s) => throw new BenchUsageException("soon"); }
