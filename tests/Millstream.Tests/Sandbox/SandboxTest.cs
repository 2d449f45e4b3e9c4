using System.Text;

namespace Millstream.Tests.Sandboxes;

/// <summary>What the tests of sandboxes share: a sandbox a test, commands in one line, and skips that name what the host lacks.</summary>
public abstract class SandboxTest : IAsyncLifetime
{
    private static readonly LeaseEpoch s_epoch = new(7, 1);

    protected Millstream.Sandbox Sandbox { get; private set; } = null!;

    protected static bool IsRoot => Environment.UserName == "root";

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sandboxes are for Linux");
        Sandbox = await OpenAsync(new SandboxOptions());
    }

    public async ValueTask DisposeAsync()
    {
        if (Sandbox is not null)
            await Sandbox.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static async Task<Millstream.Sandbox> OpenAsync(SandboxOptions options) =>
        (Millstream.Sandbox)(await new SandboxResource("box", options).OpenAsync(s_epoch, CancellationToken.None))!;

    protected static SandboxCommand Shell(string script) => new() { Arguments = ["sh", "-c", script] };

    protected Task<SandboxResult> RunAsync(string script, SandboxLimits? limits = null) => Sandbox.RunAsync(Shell(script) with { Limits = limits ?? new SandboxLimits() });

    protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    protected static string Out(SandboxResult result)
    {
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}, {result.Ending}: {Text(result.StandardError)}");
        return Text(result.StandardOutput);
    }
}
