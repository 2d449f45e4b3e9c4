using System.CommandLine;

namespace Millstream.Cli.Commands;

/// <summary><c>millstream completion SHELL</c>: a script that asks the command itself what may come next.</summary>
internal static class CompletionCommand
{
    // Options are offered once a - is typed; else files may come next, which the shell knows best.
    private const string Bash = """
        # source <(millstream completion bash)
        _millstream() {
            local word=${COMP_WORDS[COMP_CWORD]} words
            words=$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
            [[ $word == -* ]] || words=$(grep -v '^-' <<<"$words")
            COMPREPLY=($(compgen -W "$words" -- "$word"))
        }
        complete -o default -o bashdefault -F _millstream millstream

        """;

    private const string Zsh = """
        #compdef millstream
        # source <(millstream completion zsh)
        _millstream() {
            local -a words_found
            local line=${(j: :)words}
            words_found=("${(@f)$(${words[1]} "[suggest:${#line}]" "$line" 2>/dev/null)}")
            [[ $PREFIX == -* ]] || words_found=(${words_found:#-*})
            (( ${#words_found} )) && compadd -a words_found
            [[ $PREFIX == -* ]] || _files
        }
        compdef _millstream millstream

        """;

    private const string Fish = """
        # millstream completion fish | source
        function __millstream_words
            set -l line (commandline -cp)
            set -l found (millstream "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
            string match -q -- '-*' (commandline -ct); and string join \n -- $found; or string match -rv -- '^-' $found
        end
        complete -c millstream -a '(__millstream_words)'

        """;

    private static readonly Dictionary<string, string> Scripts = new() { ["bash"] = Bash, ["zsh"] = Zsh, ["fish"] = Fish };

    public static Command Create()
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new Command("completion", "Print a script that completes this command in a shell") { shell };
        command.SetAction(parsed => Console.Out.Write(Scripts[parsed.GetRequiredValue(shell)]));
        return command;
    }
}
