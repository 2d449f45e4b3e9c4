using System.Text;
using System.Text.RegularExpressions;

namespace Millstream;

/// <summary>Paths by pattern: <c>*</c> and <c>?</c> within a name, <c>**</c> over any number of folders.</summary>
internal sealed class Glob
{
    private readonly Regex _regex;

    public Glob(IEnumerable<string> patterns)
    {
        // Non-backtracking: names are made by the command, and must not be able to make the match take long.
        string any = string.Join('|', patterns.Select(Translate));
        _regex = new Regex($"^(?:{any})$", RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant);
    }

    public bool Matches(string path) => _regex.IsMatch(path);

    private static string Translate(string pattern)
    {
        StringBuilder regex = new();
        for (int i = 0; i < pattern.Length; i++)
        {
            bool atStart = i == 0 || pattern[i - 1] == '/';
            if (atStart && string.CompareOrdinal(pattern, i, "**/", 0, 3) == 0)
            {
                regex.Append("(?:.*/)?");
                i += 2;
            }
            else if (atStart && pattern[i..] == "**")
            {
                regex.Append(".*");
                i++;
            }
            else
            {
                regex.Append(pattern[i] switch
                {
                    '*' => "[^/]*",
                    '?' => "[^/]",
                    char c => Regex.Escape(c.ToString()),
                });
            }
        }
        return regex.ToString();
    }
}
