using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Millstream.Cli;

/// <summary>Wrong usage: one line for each error, the nearest right word, and where to read more. The parser's own way is a page of help.</summary>
internal static partial class UsageErrors
{
    public static bool Any(ParseResult parsed) => parsed.Action is not HelpAction && (parsed.Errors.Count > 0 || UnknownOptions(parsed).Any());

    /// <summary>An empty name, as an unset variable of a script gives it.</summary>
    public static void NotEmpty(ArgumentResult argument)
    {
        if (argument.Tokens.Any(t => t.Value.Length == 0))
            argument.AddError($"the argument {argument.Argument.Name} is empty");
    }

    public static int Print(ParseResult parsed, TextWriter error)
    {
        Command command = parsed.CommandResult.Command;
        // A word that is no command brings "a command is missing" along, which says nothing more.
        string[] messages = [.. parsed.Errors.Select(e => e.Message).Distinct()];
        string[] unknown = [.. parsed.UnmatchedTokens, .. UnknownOptions(parsed)];
        if (unknown.Length > 0)
            messages = [.. unknown.Select(t => Unknown(t, command))];
        // What follows may hold a password.
        foreach (string message in messages.Select(m => ServerUrl().Replace(m, "postgres://…")))
            error.WriteLine($"millstream: {string.Join(' ', message.Split((char[])['\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries))}");
        error.WriteLine($"Try '{Name(command)} --help'.");
        return ExitCode.Usage;
    }

    /// <summary>A mistyped option would be taken for a file where several files may stand. After <c>--</c> everything is an argument.</summary>
    private static IEnumerable<string> UnknownOptions(ParseResult parsed) => parsed.Tokens.Any(t => t.Type == TokenType.DoubleDash) ? [] :
        parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value).Where(v => v.Length > 1 && v[0] == '-');

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

    [GeneratedRegex(@"postgres(ql)?://\S*(?=')|postgres(ql)?://\S*", RegexOptions.IgnoreCase)]
    private static partial Regex ServerUrl();
}
