namespace Millstream.Tests.House;

/// <summary>A use of a name in a place where C# may mean a type or an extension method.</summary>
internal readonly record struct Mention(string Name, int Line, bool IsExtensionCall, bool IsCertainlyType);

/// <summary>What one C# file declares and mentions, as far as it can be told from its tokens alone.</summary>
internal sealed class SourceFile
{
    private static readonly HashSet<string> BeforeType = ["new", "is", "as", "case", "not", "or", "and", ":"];

    // Names that C# itself uses between other names; none of them makes what follows a declared name.
    private static readonly HashSet<string> NotTypes =
    [
        "return", "new", "is", "as", "case", "in", "out", "ref", "await", "throw", "else", "not", "or", "and", "when", "public", "private", "protected",
        "internal", "static", "readonly", "sealed", "abstract", "override", "virtual", "async", "required", "const", "params", "this", "extern", "partial",
        "unsafe", "volatile", "using", "scoped", "where", "yield", "default", "event", "file", "class", "struct", "interface", "enum", "record", "delegate",
        "operator", "implicit", "explicit", "goto", "do", "switch", "with", "namespace", "typeof", "nameof", "from", "let", "select",
    ];

    private readonly List<Token> _tokens;

    private SourceFile(List<Token> tokens) => _tokens = tokens;

    /// <summary>Types that stand by themselves: the only ones another file can name without naming their outer type.</summary>
    public HashSet<string> TopTypes { get; } = [];

    public HashSet<string> AllTypes { get; } = [];

    public HashSet<string> Members { get; } = [];

    public HashSet<string> Extensions { get; } = [];

    public HashSet<string> Namespaces { get; } = [];

    public List<Mention> Mentions { get; } = [];

    public static SourceFile Parse(string text)
    {
        var file = new SourceFile(SourceTokens.Read(text));
        file.Walk();
        return file;
    }

    private string At(int i) => i >= 0 && i < _tokens.Count ? _tokens[i].Text : "";

    private bool IsName(int i) => i >= 0 && i < _tokens.Count && _tokens[i].IsName;

    private void Walk()
    {
        int depth = 0, outer = 0;
        for (int i = 0; i < _tokens.Count; i++)
        {
            string text = At(i);
            depth += text == "{" ? 1 : text == "}" ? -1 : 0;
            if (text == "namespace")
            {
                int end = i + 1;
                while (IsName(end) || At(end) == ".")
                    end++;
                Namespaces.Add(string.Concat(_tokens[(i + 1)..end].Select(t => t.Text)));
                outer = At(end) == "{" ? depth + 1 : depth;
                i = end - 1;
            }
            else if (DeclaredType(i) is int name and > 0)
            {
                AllTypes.Add(At(name));
                if (depth == outer)
                    TopTypes.Add(At(name));
                if (text == "enum")
                    i = SkipEnum(name);
                else if (text != "delegate")
                    i = name;
            }
            else if (_tokens[i].IsName)
                LookAt(i);
        }
    }

    /// <summary>The index of the name that a declaration at this place gives to a type, or 0.</summary>
    private int DeclaredType(int i)
    {
        switch (At(i))
        {
            case "class" or "struct" when At(i - 1) is ":" or ",": // a constraint
                return 0;
            case "class" or "struct" or "interface" or "enum":
                return IsName(i + 1) ? i + 1 : 0;
            case "record" when At(i + 1) is "class" or "struct":
                return 0; // the next word declares it
            case "record" when IsName(i + 1) && At(i + 2) is "(" or "{" or ":" or "<" or ";":
                return IsName(i + 1) ? i + 1 : 0;
            case "delegate" when At(i + 1) is not ("(" or "{" or "*"):
                int end = i + 1;
                while (end < _tokens.Count && At(end) is not ";" && !(At(end) == "(" && IsName(NameBefore(end))))
                    end++;
                return NameBefore(end);
            default:
                return 0;
        }
    }

    /// <summary>The name in front of a sign, over a list of type parameters.</summary>
    private int NameBefore(int i)
    {
        int angle = 0;
        do
        {
            i--;
            angle += At(i) == ">" ? 1 : At(i) == "<" ? -1 : 0;
        }
        while (i > 0 && (angle > 0 || At(i) == "<"));
        return i;
    }

    private int SkipEnum(int i)
    {
        while (i < _tokens.Count && At(i) is not "{")
            i++;
        for (; i < _tokens.Count && At(i) is not "}"; i++)
            if (IsName(i) && At(i - 1) is "{" or ",")
                Members.Add(At(i));
        return i;
    }

    private void LookAt(int i)
    {
        string before = At(i - 1), name = At(i);
        int next = AfterTypeArguments(i + 1);
        string after = At(next);
        if (before is "." or "?." && !(At(i - 2) == "Millstream" && At(i - 3) != "."))
        {
            if (after == "(")
                Mentions.Add(new Mention(name, _tokens[i].Line, IsExtensionCall: true, IsCertainlyType: false));
            return;
        }

        if (IsDeclaredName(i, after))
        {
            Members.Add(name);
            if (after == "(" && At(next + 1) == "this")
                Extensions.Add(name);
            return;
        }

        bool afterTypeWord = BeforeType.Contains(before);
        if (after == "=" || after == ":" && before != "case" || after == "(" && !afterTypeWord)
            return; // a member that is set or matched, a named argument, a call
        bool beforeName = next < _tokens.Count && (_tokens[next].IsName && !NotTypes.Contains(after) || after is "?" or "[" && IsName(next + (after == "?" ? 1 : 2)));
        bool inTypeof = before == "(" && At(i - 2) == "typeof";
        bool isArgument = before == "<" || after == ">" || At(i + 1) == "<";
        Mentions.Add(new Mention(name, _tokens[i].Line, IsExtensionCall: false, afterTypeWord || beforeName || inTypeof || isArgument));
    }

    /// <summary>Whether the name is given here to a member, parameter or local: a type stands in front of it.</summary>
    private bool IsDeclaredName(int i, string after)
    {
        string before = At(i - 1);
        bool typeBefore = before is ">" or "]" or "?" or "*" || IsName(i - 1) && !NotTypes.Contains(before);
        return typeBefore && after is "{" or "=>" or "=" or ";" or "(" or "," or ")" or "in" && typeBefore;
    }

    private int AfterTypeArguments(int i)
    {
        if (At(i) != "<")
            return i;
        int depth = 0, at = i;
        for (; at < _tokens.Count; at++)
        {
            depth += At(at) == "<" ? 1 : At(at) == ">" ? -1 : 0;
            if (depth == 0)
                return at + 1;
            if (!IsName(at) && At(at) is not ("<" or ">" or "," or "." or "?" or "[" or "]" or "(" or ")" or "::"))
                return i; // a comparison
        }

        return i;
    }
}
