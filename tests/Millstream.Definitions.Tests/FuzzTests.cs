using System.Text;
using CsCheck;
using DevLab.JmesPath;

namespace Millstream.Definitions.Tests;

/// <summary>Whatever a file holds, it is read or told to be wrong; nothing else is thrown.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Pieces =
        ["${{", "}}", "input", "tasks", ".", "[", "]", "[]", "*", "'", "\"", "`", "{", "}", ":", ", ", "\n", "  ", "- ", "&a ", "*a", "!!str ", "|", ">", "?", "#", "item", "for_each", "\t", "\u00fc", "\0", "1", "null", "$", "@", "(", ")", "!"];

    private static readonly string[] Words =
        ["a", "b", ".", "[", "]", "[]", "[?", "*", "'x'", "\"c\"", "`1`", "{", "}", ":", ",", "|", "||", "&&", "&", "!", "(", ")", "==", "<", "+", "-", "/", "0", "-1", "@", "length", "sort_by", " "];

    [Fact]
    public void Parse_DamagedFile_IsReadOrRefused() =>
        Gen.Select(Gen.Int[0, Files.Sizes.Length], Gen.Int[0, 12], Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]), Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i])).Sample((at, cut, first, second) =>
        {
            var text = new StringBuilder(Files.Sizes);
            text.Remove(at, Math.Min(cut, text.Length - at)).Insert(at, second).Insert(at, first);
            ReadOrRefused(text.ToString());
        }, iter: 2000);

    [Fact]
    public void ParseExpression_AnyWords_NeitherEndsTheProcessNorIsReadWhereTheLibraryRefuses()
    {
        int both = 0;
        Gen.Int[0, Words.Length - 1].Select(i => Words[i]).Array[1, 8].Sample(words =>
        {
            string text = string.Concat(words);
            try
            {
                ExprParser.Parse(text);
            }
            catch (ExpressionException)
            {
                return;
            }
            try
            {
                new JmesPath().Parse(text);
                Interlocked.Increment(ref both);
            }
            catch (Exception)
            {
                // Then the file is refused with the library's message.
                Assert.NotEmpty(Files.Faults($"name: t\ntasks: {{ a: {{ uses: agent, with: {{ agent: x, input: {System.Text.Json.JsonSerializer.Serialize("${{ " + text + " }}")} }} }} }}"));
            }
        }, iter: 5_000);
        Assert.True(both > 100);
    }

    private static void ReadOrRefused(string text)
    {
        try
        {
            Assert.NotEmpty(WorkflowFile.Parse(text).Tasks);
        }
        catch (WorkflowFileException e)
        {
            Assert.NotEmpty(e.Faults);
            Assert.All(e.Faults, f => Assert.False(string.IsNullOrWhiteSpace(f.Message)));
        }
    }
}
