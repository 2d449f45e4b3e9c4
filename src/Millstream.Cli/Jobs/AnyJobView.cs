using System.Text.Json;
using Millstream.Cli.Running;

namespace Millstream.Cli.Jobs;

/// <summary>For a job of which this command knows no workflow: its entries as lines to stderr, its output to stdout.</summary>
internal sealed class AnyJobView(TextWriter output, TextWriter error) : IRunView
{
    private const int Width = 120;

    private JobEvent? _last;

    public async Task ShowAsync(IAsyncEnumerable<JobEvent> events)
    {
        await foreach (JobEvent e in events)
        {
            _last = e;
            string subject = e.Task ?? e.Question ?? e.Child?.Value ?? "";
            string text = e.Error?.Message ?? (e.Kind is JobEventKinds.Event or JobEventKinds.Signal or JobEventKinds.QuestionAsked or JobEventKinds.QuestionAnswered ? e.Data?.GetRawText() : null) ?? "";
            error.WriteLine(OutputText.Clean($"{e.Time.ToLocalTime():HH:mm:ss} {e.Kind} {subject} {OutputText.Shortened(text.ReplaceLineEndings(" "), Width)}".TrimEnd()));
        }
    }

    public void End(JobEnding ending, TimeSpan elapsed)
    {
        if (ending is JobEnding.Completed && _last?.Data is { } data && OutputText.ForPrograms(data) is { } text)
            output.WriteLine(text.TrimEnd('\n'));
        else if (ending is JobEnding.Failed failed)
            error.WriteLine(RunFailure.Say(failed.Error));
    }
}
