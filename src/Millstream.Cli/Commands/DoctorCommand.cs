using System.CommandLine;
using System.Text.Json;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream doctor</c>: what this host can isolate and hold, tried out, and how to get the rest.</summary>
internal static class DoctorCommand
{
    private static readonly Option<bool> AsJson = new("--json") { Description = "The findings as one JSON object" };
    private static readonly JsonSerializerOptions Names = new(JsonSerializerDefaults.Web) { Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public static Command Create()
    {
        var command = new Command("doctor", "Try out what this host can isolate, and say how to get the rest") { AsJson };
        command.SetAction((parsed, token) => RunAsync(parsed.GetValue(AsJson), token));
        return command;
    }

    private static async Task<int> RunAsync(bool asJson, CancellationToken token)
    {
        SandboxHostReport report = await SandboxHost.ExamineAsync(token: token);
        if (asJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Names));
        else
            Print(report);
        return report.CanIsolate ? ExitCode.Completed : ExitCode.Failed;
    }

    private static void Print(SandboxHostReport report)
    {
        int width = report.Findings.Max(f => f.Name.Length);
        foreach (SandboxFinding finding in report.Findings)
        {
            string state = finding.State switch { SandboxFindingState.Ok => "ok", SandboxFindingState.Partial => "partly", _ => "missing" };
            Console.Out.WriteLine($"{state,-8} {finding.Name.PadRight(width)}  {finding.Detail}");
            if (finding.Remedy.Length > 0)
                Console.Out.WriteLine($"{"",-8} {"".PadRight(width)}  -> {finding.Remedy}");
        }

        Console.Out.WriteLine(report.CanIsolate
            ? "Sandboxes run isolated on this host."
            : "Sandboxes cannot run on this host, and tasks that need one fail; they never run without isolation.");
    }
}
