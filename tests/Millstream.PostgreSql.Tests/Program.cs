using System.Diagnostics.CodeAnalysis;
using Millstream;
using Millstream.PostgreSql.Tests;
using Xunit.MicrosoftTestingPlatform;

[assembly: SuppressMessage("Usage", "xUnit3001", Justification = "the entry point is below")]

// The tests, or one runner as a process of its own: `run-job JOURNAL JOB` makes a job, says so, and waits to be killed.
if (args is ["run-job", var path, var id])
{
    PostgreSqlJournalStorage store = new(path);
    JobId job = JobId.Parse(id);
    long runner = await store.OpenRunnerAsync();
    JobHead head = new() { Id = job, AgentId = "agent", AgentVersion = "1", Created = DateTimeOffset.UnixEpoch, Runner = runner };
    await store.AppendAsync([new JobAppend { Job = job, Epoch = 1, Record = new JournalRecord(1, 1, "x"u8.ToArray()), Head = head }]);
    Console.Out.WriteLine(runner);
    Console.In.ReadLine();
    return 0;
}
if (!args.Any(a => a is "--server" or "--internal-msbuild-node"))
    return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
