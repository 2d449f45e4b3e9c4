using System.Diagnostics.CodeAnalysis;
using Xunit.MicrosoftTestingPlatform;

[assembly: SuppressMessage("Usage", "xUnit3001", Justification = "the entry point is below")]

if (!args.Any(a => a is "--server" or "--internal-msbuild-node"))
    return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
return await TestPlatformTestFramework.RunAsync(args, Millstream.Testing.Tests.SelfRegisteredExtensions.AddSelfRegisteredExtensions);
