using System.Text;

namespace Millstream.Cli.Jobs;

/// <summary>Lines of several jobs at once: each says whose it is.</summary>
internal sealed class PrefixWriter(string prefix, TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void WriteLine(string? value) => inner.WriteLine(string.Join('\n', (value ?? "").Split('\n').Select(l => prefix + l)));

    public override void Write(char value) => inner.Write(value);
}
