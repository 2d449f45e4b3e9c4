using System.Diagnostics;
using System.Globalization;
using Millstream.PostgreSql.Tests;

namespace Millstream;

/// <summary>Durable steps beside those of DBOS Transact for TypeScript, in turn on one private PostgreSQL server. Needs node and npm, which fetches DBOS into a temporary folder.</summary>
internal static class DbosBench
{
    private const int Workflows = 50, Steps = 40, Alone = 300;

    public static async Task RunAsync(Measure measure, PrivateServer server)
    {
        string folder = Directory.CreateTempSubdirectory("millstream-bench-").FullName;
        try
        {
            foreach (string file in (string[])["package.json", "steps.js"])
                File.Copy(Path.Combine(AppContext.BaseDirectory, "dbos", file), Path.Combine(folder, file));
            using (Process install = Start(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"))
            {
                await install.StandardOutput.ReadToEndAsync();
                await install.WaitForExitAsync();
                if (install.ExitCode != 0)
                    throw new InvalidOperationException($"npm could not install DBOS (exit code {install.ExitCode})");
            }
                using Process dbos = Start(folder, "node", "--no-deprecation", "steps.js", $"postgresql://{PrivateServer.User}:{PrivateServer.Password}@127.0.0.1:{server.Port}/dbos");
            string? ready = await dbos.StandardOutput.ReadLineAsync();
            if (ready != "ready")
                throw new InvalidOperationException($"DBOS did not start: {ready}{await dbos.StandardOutput.ReadToEndAsync()}");
            await CompareAsync(measure, server, dbos);
            dbos.StandardInput.Close();
            await dbos.WaitForExitAsync();
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task CompareAsync(Measure measure, PrivateServer server, Process dbos)
    {
        const string theirs = "DBOS Transact 5.3.0: 50 workflows, a durable step", ours = "50 jobs, a durable step", theirsAlone = "DBOS Transact 5.3.0: one workflow, a durable step", oursAlone = "one job, a durable step";
        int made = 0;
        Rounds rounds = new(measure)
        {
            [theirs] = () => AskAsync(Workflows, Steps),
            [ours] = () => DurableBench.StepsAsync(Fresh(), Workflows, Steps),
            [theirsAlone] = () => AskAsync(1, Alone),
            [oursAlone] = () => DurableBench.StepsAsync(Fresh(), 1, Alone),
        };
        await rounds.RunAsync();
        rounds.Say(theirs, null);
        rounds.Say(ours, null);
        rounds.SayRatio("  over DBOS", ours, theirs, 1);
        rounds.Say(theirsAlone, null);
        rounds.Say(oursAlone, null);
        rounds.SayRatio("  over DBOS", oursAlone, theirsAlone, 1);

        PostgreSqlJournalStorage Fresh() => new($"{server.Url}?schema=peer{++made}");

        async Task<double> AskAsync(int workflows, int steps)
        {
            await dbos.StandardInput.WriteLineAsync($"{workflows} {steps}");
            return double.Parse(await dbos.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("DBOS ended"), CultureInfo.InvariantCulture);
        }
    }

    private static Process Start(string folder, string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true })!;
}
