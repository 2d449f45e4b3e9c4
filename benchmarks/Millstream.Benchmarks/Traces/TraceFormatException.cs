namespace Millstream;

/// <summary>A file is no trace that can be replayed; the message says which file, which field, and what to do.</summary>
internal sealed class TraceFormatException(string file, string field, string what, string remedy) : BenchUsageException($"{file}: {field}: {what}; {remedy}");
