namespace Millstream;

/// <summary>A command was called in a way that it does not know, or with files that it cannot use; the message says what to do.</summary>
internal class BenchUsageException(string message) : Exception(message);

/// <summary>What a command with options of its own was called with.</summary>
internal sealed class BenchOptions
{
    private readonly string _usage;
    private readonly Dictionary<string, string> _given = [];

    /// <summary>Reads options, each at most once.</summary>
    /// <param name="usage">How the command is called.</param>
    /// <param name="arguments">What it was called with.</param>
    /// <param name="flags">Options without a value.</param>
    /// <param name="valued">Options with one.</param>
    /// <exception cref="BenchUsageException">One is unknown, is given twice, or lacks its value.</exception>
    public BenchOptions(string usage, string[] arguments, string[] flags, string[] valued)
    {
        _usage = usage;
        for (int i = 0; i < arguments.Length; i++)
        {
            string option = arguments[i], value = "";
            if (valued.Contains(option))
                value = i + 1 < arguments.Length ? arguments[++i] : throw Wrong($"{option} needs a value");
            else if (!flags.Contains(option))
                throw Wrong($"there is no option '{option}'");
            if (!_given.TryAdd(option, value))
                throw Wrong($"{option} is given twice");
        }
    }

    /// <summary>An option's value; null where it is not given.</summary>
    public string? this[string option] => _given.GetValueOrDefault(option);

    public bool Has(string flag) => _given.ContainsKey(flag);

    /// <summary>A folder that must be given and must be there.</summary>
    /// <param name="option">The option.</param>
    /// <param name="what">What is in it.</param>
    public string Folder(string option, string what)
    {
        string folder = this[option] ?? throw Wrong($"{option} is required: {what}");
        return Directory.Exists(folder) ? folder : throw Wrong($"{option} {folder}: there is no such folder; give {what}");
    }

    /// <summary>The fault, with how the command is called.</summary>
    public BenchUsageException Wrong(string fault) => new($"{fault}\n{_usage}");
}
