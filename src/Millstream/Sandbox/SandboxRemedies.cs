namespace Millstream;

/// <summary>Why a host cannot isolate, and the one line that changes it.</summary>
internal static class SandboxRemedies
{
    public const string NoSetPriv = "The program setpriv is missing, which sandboxes need when Millstream runs as root. Install it: apt-get install util-linux";

    public static string NoBubblewrap(string program) => program == "bwrap"
        ? $"Bubblewrap (bwrap) is not installed, and nothing runs without a sandbox. Install it: {InstallCommand}"
        : $"The program of SandboxOptions.Bubblewrap, {program}, does not exist. Correct the option, or install bubblewrap: {InstallCommand}";

    public static string InstallCommand =>
        Tools.Find("apt-get") is not null ? Sudo + "apt-get install -y bubblewrap" :
        Tools.Find("dnf") is not null ? Sudo + "dnf install -y bubblewrap" :
        Tools.Find("pacman") is not null ? Sudo + "pacman -S bubblewrap" :
        Tools.Find("apk") is not null ? Sudo + "apk add bubblewrap" :
        Tools.Find("zypper") is not null ? Sudo + "zypper install bubblewrap" : "install the package bubblewrap";

    private static string Sudo => OperatingSystem.IsLinux() && Libc.UserId() != 0 ? "sudo " : "";

    /// <summary>What bubblewrap's own words mean on this host.</summary>
    public static string NotStarted(string said, int code, SandboxOptions options)
    {
        string reason = $"The sandbox did not start, so the command did not run. {options.Bubblewrap} said: {(said == "" ? $"nothing (exit code {code})" : said)}.";
        if (said.Contains("Unknown option", StringComparison.Ordinal))
            return $"{reason} Sandboxes need bubblewrap 0.8 or later: install a later one ({InstallCommand}, from a later release).";
        if (said.Contains("namespace", StringComparison.Ordinal) || said.Contains("uid map", StringComparison.Ordinal) || said.Contains("Operation not permitted", StringComparison.Ordinal) || said.Contains("loopback", StringComparison.Ordinal))
            return $"{reason} {UserNamespaces()}";
        return reason;
    }

    /// <summary>Which setting forbids user namespaces here.</summary>
    public static string UserNamespaces()
    {
        if (Is("kernel/unprivileged_userns_clone", "0"))
            return "Unprivileged user namespaces are off. Turn them on: sysctl -w kernel.unprivileged_userns_clone=1 (and write it to /etc/sysctl.d/).";
        if (Is("user/max_user_namespaces", "0"))
            return "User namespaces are limited to 0. Raise it: sysctl -w user.max_user_namespaces=15000 (and write it to /etc/sysctl.d/).";
        if (Is("kernel/apparmor_restrict_unprivileged_userns", "1"))
            return "AppArmor keeps programs from user namespaces. Give bwrap a profile with 'userns,' in /etc/apparmor.d/bwrap and load it (apparmor_parser -r), or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0.";
        return "In a container, user namespaces are usually kept by its own rules: run it with them allowed (docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined, and --security-opt systempaths=unconfined).";
    }

    private static bool Is(string setting, string value) => KernelFile.TryRead($"/proc/sys/{setting}")?.Trim() == value;
}
