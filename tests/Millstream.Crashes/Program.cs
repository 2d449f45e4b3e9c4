using System.Diagnostics.CodeAnalysis;
using Millstream.Crashes;
using Millstream.Crashes.Cycles;
using Millstream.Crashes.Disk;
using Millstream.Crashes.Golden;
using Xunit.MicrosoftTestingPlatform;

[assembly: SuppressMessage("Usage", "xUnit3001", Justification = "the entry point is below")]

// The tests; or what they start as processes of their own; or `./crashes`.
switch (args)
{
    case ["host", var journal, var folder, var jobs]:
        return await HostProgram.RunAsync(journal, folder, int.Parse(jobs, System.Globalization.CultureInfo.InvariantCulture));
    case ["disk", .. var rest]:
        return await DiskProgram.RunAsync(rest);
    case ["golden", var folder]:
        return await GoldenMaker.RunAsync(folder);
}
if (args.Any(a => a is "--cycles" or "--seed"))
    return await CrashCommand.RunAsync(args);
if (!args.Any(a => a is "--server" or "--internal-msbuild-node"))
    return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
