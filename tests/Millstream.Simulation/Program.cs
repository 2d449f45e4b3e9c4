using System.Diagnostics.CodeAnalysis;
using Millstream.Simulation;
using Xunit.MicrosoftTestingPlatform;

[assembly: SuppressMessage("Usage", "xUnit3001", Justification = "the entry point is below")]

// `--seeds` and its like run the simulation by itself; anything else is the test runner's.
if (args.Any(a => a is "--seeds" or "--seed" or "--planted"))
    return SimulationCommand.Run(args);
if (!args.Any(a => a is "--server" or "--internal-msbuild-node"))
    return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
