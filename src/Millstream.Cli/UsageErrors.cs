using System.CommandLine;
using System.CommandLine.Help;

namespace Millstream.Cli;

/// <summary>Wrong usage: one line for each error, the nearest right word, and where to read more. The parser's own way is a page of help.</summary>
internal static class UsageErrors
{
    public static bool AsksForHelp(ParseResult parsed) => parsed.Action is HelpAction;

    public static int Print(ParseResult parsed, TextWriter error)
    {
        Command command = parsed.CommandResult.Command;
        // A word that is no command brings "a command is missing" along, which says nothing more.
        string[] messages = [.. parsed.Errors.Select(e => e.Message).Distinct()];
        if (parsed.UnmatchedTokens.Count > 0)
            messages = [.. parsed.UnmatchedTokens.Select(t => Unknown(t, command))];
        foreach (string message in messages)
            error.WriteLine($"millstream: {message}");
        error.WriteLine($"Try '{Name(command)} --help'.");
        return ExitCode.Usage;
    }

    private static string Unknown(string token, Command command)
    {
        string what = command.Subcommands.Count > 0 && !token.StartsWith('-') ? "command" : token.StartsWith('-') ? "option" : "argument";
        IEnumerable<string> words = what switch
        {
            "command" => command.Subcommands.Select(c => c.Name),
            "option" => Line(command).SelectMany(c => c.Options.Where(o => c == command || o.Recursive)).SelectMany(o => o.Aliases.Prepend(o.Name)),
            _ => [],
        };
        string? near = words.Select(w => (w, far: Distance(w, token))).Where(p => p.far <= Math.Max(1, token.Length / 3)).OrderBy(p => p.far).Select(p => p.w).FirstOrDefault();
        return what == "argument" ? $"there is an argument too many: '{token}'." : $"there is no {what} '{token}'{(near is null ? "." : $"; did you mean '{near}'?")}";
    }

    private static string Name(Command command) => string.Join(' ', Line(command).Reverse().Select(c => c is RootCommand ? "millstream" : c.Name));

    private static IEnumerable<Command> Line(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
            yield return at;
    }

    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0]++;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }

        return row[^1];
    }
}
