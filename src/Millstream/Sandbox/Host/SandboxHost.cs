namespace Millstream;

/// <summary>Says what sandboxes hold on this host, by running some and looking, not by guessing from versions.</summary>
public static class SandboxHost
{
    /// <summary>Examines the host; takes about a second and leaves nothing behind.</summary>
    /// <param name="options">How sandboxes are made; the defaults work.</param>
    /// <param name="token">Ends the examination.</param>
    public static async Task<SandboxHostReport> ExamineAsync(SandboxOptions? options = null, CancellationToken token = default)
    {
        options ??= new SandboxOptions();
        options.Validate();
        if (!OperatingSystem.IsLinux())
            return new SandboxHostReport([new("operating system", SandboxFindingState.Missing, "no isolation: Linux only", "Run this worker on a Linux host, or in a Linux virtual machine.")], false);
        List<SandboxFinding> findings = [HostTools.Bubblewrap(options)];
        if (findings[0].State == SandboxFindingState.Missing)
            return new SandboxHostReport(findings, false);
        await using Sandbox sandbox = new(new LeaseEpoch(0, 0), options);
        bool isolated;
        try
        {
            SandboxFinding[] trial = await HostTrial.IsolationAsync(sandbox, token);
            isolated = trial.All(finding => finding.State != SandboxFindingState.Missing);
            findings.AddRange(trial);
        }
        catch (SandboxException e)
        {
            findings.Add(new("trial run", SandboxFindingState.Missing, e.Message, SandboxRemedies.UserNamespaces()));
            return new SandboxHostReport(findings, false);
        }
        findings.Add(await HostTrial.MemoryAsync(sandbox, token));
        findings.Add(await HostTrial.ProcessesAsync(sandbox, token));
        findings.Add(await HostTrial.DiskAsync(sandbox, token));
        findings.Add(HostTools.Cpu());
        findings.AddRange(HostTools.AsRoot(options));
        return new SandboxHostReport(findings, isolated);
    }
}
