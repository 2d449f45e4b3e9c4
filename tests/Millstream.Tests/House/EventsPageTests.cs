using System.Reflection;
using System.Text.Json;

namespace Millstream.Tests.House;

/// <summary>docs/events.md tells every kind there is and no other, and its examples are JSON of such kinds.</summary>
public sealed class EventsPageTests
{
    private const string Page = "docs/events.md";

    // Shown in streams, without a constant.
    private static readonly string[] Unnamed = ["timer.stopping", "question.withdrawing"];

    private static IEnumerable<string> Kinds => typeof(JobEventKinds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!);

    [Fact]
    public void EventsPage_HasARowForEveryKind()
    {
        string[] rows = [.. Repository.Read(Page).Split('\n')];
        Say.None(Kinds.Concat(Unnamed).Distinct().Where(kind => rows.Count(r => r.StartsWith($"| `{kind}` |", StringComparison.Ordinal)) != 1)
            .Select(kind => $"{Page}: there must be one row `| `{kind}` | fields | meaning |`"));
    }

    [Fact]
    public void EventsPage_Examples_AreLinesOfKnownKinds()
    {
        string[] lines = [.. Repository.Read(Page).Split('\n').Where(l => l.StartsWith('{'))];
        Assert.NotEmpty(lines);
        string[] known = [.. Kinds, .. Unnamed];
        Say.None(from line in lines
                 let kind = JsonDocument.Parse(line).RootElement.GetProperty("kind").GetString()
                 where !known.Contains(kind)
                 select $"{Page}: an example has the kind '{kind}', which there is not");
    }
}
