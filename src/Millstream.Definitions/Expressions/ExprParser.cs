using System.Globalization;
using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>
/// Reads JMESPath by binding powers into a tree with places. The package's own tree cannot be walked with its structure, and its
/// errors do not say what to write instead.
/// </summary>
internal sealed class ExprParser
{
    private const int ProjectionStop = 10, Star = 20, Filter = 21, Dot = 40;
    private readonly List<Token> _tokens;
    private int _next;

    private ExprParser(string text) => _tokens = ExprTokens.Read(text);

    public static Expr Parse(string text)
    {
        var parser = new ExprParser(text);
        if (parser.Peek.Kind == "end")
            throw new ExpressionException(0, "the expression is empty");
        Expr expr = parser.Expression(0);
        return parser.Peek.Kind == "end" ? expr : throw parser.Unexpected();
    }

    private Token Peek => _tokens[_next];

    private Token Advance() => _tokens[_next++];

    private bool Try(string kind)
    {
        if (Peek.Kind != kind)
            return false;
        _next++;
        return true;
    }

    private void Expect(string kind)
    {
        if (!Try(kind))
            throw Peek.Kind == "end" ? new ExpressionException(Peek.At, $"the expression ends where '{kind}' is missing") : Unexpected($"'{kind}' is missing before ");
    }

    private ExpressionException Unexpected(string before = "") => new(Peek.At, Peek.Kind switch
    {
        "end" => "the expression ends too early",
        "number" => $"{before}the number {Peek.Text}; a number stands in back-ticks: `{Peek.Text}`",
        "raw" => $"{before}'{Peek.Text}' is not expected here; a field with such a name is written .\"{Peek.Text}\"",
        _ => $"{before}'{Peek.Text}' is not expected here",
    });

    private static int Power(string kind) => kind switch
    {
        "|" => 1, "||" => 2, "&&" => 3,
        "==" or "!=" or "<" or "<=" or ">" or ">=" => 5,
        "+" or "-" => 6,
        "*" or "/" or "//" or "%" => 7,
        "[]" => 9,
        "[?" => Filter, "." => Dot, "[" => 55,
        _ => 0,
    };

    private Expr Expression(int power)
    {
        Expr left = Prefix();
        while (power < Power(Peek.Kind))
            left = Infix(left);
        return left;
    }

    private Expr Prefix()
    {
        Token token = Peek;
        switch (token.Kind)
        {
            case "id":
                _next++;
                return Peek.Kind == "(" ? Call(token) : new FieldExpr(token.At, token.Text, false);
            case "quoted":
                _next++;
                return new FieldExpr(token.At, token.Text, true);
            case "raw":
                _next++;
                return new LiteralExpr(token.At, DataType.String);
            case "literal":
                _next++;
                return new LiteralExpr(token.At, TypeOfJson(token));
            case "@":
                _next++;
                return new CurrentExpr(token.At);
            case "!":
                _next++;
                return new NotExpr(token.At, Expression(8));
            case "+" or "-":
                _next++;
                return new SignExpr(token.At, Expression(8));
            case "&":
                _next++;
                return new ReferenceExpr(token.At, Expression(0));
            case "(":
                _next++;
                Expr inner = Expression(0);
                Expect(")");
                return inner;
            case "{":
                return Hash();
            case "*":
                _next++;
                return new ProjectionExpr(token.At, ProjectionKind.Values, new CurrentExpr(token.At), null, ProjectionRight(Star));
            case "[]" or "[?":
                return Infix(new CurrentExpr(token.At));
            case "[" when _tokens[_next + 1].Kind is "number" or ":" || _tokens[_next + 1].Kind == "*" && _tokens[_next + 2].Kind == "]":
                return Infix(new CurrentExpr(token.At));
            case "[":
                return MultiList();
            default:
                throw Unexpected();
        }
    }

    private Expr Infix(Expr left)
    {
        Token token = Advance();
        switch (token.Kind)
        {
            case "|":
                return new PipeExpr(token.At, left, Expression(1));
            case "||" or "&&":
                return new EitherExpr(token.At, left, Expression(Power(token.Kind)));
            case "==" or "!=" or "<" or "<=" or ">" or ">=":
                return new CompareExpr(token.At, token.Kind, left, Expression(5));
            case "+" or "-" or "*" or "/" or "//" or "%":
                return new ArithmeticExpr(token.At, token.Kind, left, Expression(Power(token.Kind)));
            case "[]":
                return new ProjectionExpr(token.At, ProjectionKind.Flatten, left, null, ProjectionRight(9));
            case "[?":
                Expr condition = Expression(0);
                Expect("]");
                return new ProjectionExpr(token.At, ProjectionKind.Filter, left, condition, Peek.Kind == "[]" ? new CurrentExpr(Peek.At) : ProjectionRight(Filter));
            case "." when Try("*"):
                return new ProjectionExpr(token.At, ProjectionKind.Values, left, null, ProjectionRight(Star));
            case ".":
                return new SubExpr(token.At, left, AfterDot(Dot));
            default:
                return Bracket(left, token);
        }
    }

    private Expr AfterDot(int power) => Peek.Kind switch
    {
        "id" or "quoted" or "*" => Expression(power),
        "[" => MultiList(),
        "{" => Hash(),
        _ => throw Unexpected("after '.' a name is wanted: "),
    };

    private Expr Bracket(Expr left, Token open)
    {
        if (Try("*"))
        {
            Expect("]");
            return new ProjectionExpr(open.At, ProjectionKind.List, left, null, ProjectionRight(Star));
        }
        int colons = 0;
        Token? number = null;
        while (Peek.Kind is "number" or ":")
        {
            Token part = Advance();
            if (part.Kind == ":")
                colons++;
            else if (!int.TryParse(part.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                throw new ExpressionException(part.At, $"the index {part.Text} is too large");
            else
                number = part;
        }
        if (Peek.Kind is "raw" or "quoted" or "id")
            throw new ExpressionException(Peek.At, $"[ ] holds a number; a field is written .{(Peek.Kind == "id" ? Peek.Text : $"\"{Peek.Text}\"")}");
        Expect("]");
        if (colons > 0)
            return new ProjectionExpr(open.At, ProjectionKind.Slice, left, null, ProjectionRight(Star));
        Token index = number ?? throw new ExpressionException(open.At, "an index is missing");
        return new SubExpr(open.At, left, new IndexExpr(open.At, int.Parse(index.Text, CultureInfo.InvariantCulture)));
    }

    private Expr ProjectionRight(int power)
    {
        if (Power(Peek.Kind) < ProjectionStop)
            return new CurrentExpr(Peek.At);
        if (Peek.Kind is not ".")
            return AfterProjection(power);
        _next++;
        return AfterDot(power);
    }

    /// <summary>What follows a projection in brackets applies to each item, as if it began an expression.</summary>
    private Expr AfterProjection(int power)
    {
        Expr left = Infix(new CurrentExpr(Peek.At));
        while (power < Power(Peek.Kind))
            left = Infix(left);
        return left;
    }

    private ListExpr MultiList()
    {
        int at = Advance().At;
        var items = new List<Expr>();
        do
            items.Add(Expression(0));
        while (Try(","));
        Expect("]");
        return new ListExpr(at, items);
    }

    private HashExpr Hash()
    {
        int at = Advance().At;
        var fields = new List<(string, Expr)>();
        do
        {
            if (Peek.Kind is not ("id" or "quoted"))
                throw Unexpected("in { } a name is wanted: ");
            string name = Advance().Text;
            Expect(":");
            fields.Add((name, Expression(0)));
        }
        while (Try(","));
        Expect("}");
        return new HashExpr(at, fields);
    }

    private CallExpr Call(Token name)
    {
        _next++;
        var arguments = new List<Expr>();
        if (!Try(")"))
        {
            do
                arguments.Add(Expression(0));
            while (Try(","));
            Expect(")");
        }
        return new CallExpr(name.At, name.Text, arguments);
    }

    private static DataType TypeOfJson(Token token)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(token.Text);
            return JsonTypes.Of(document.RootElement);
        }
        catch (JsonException)
        {
            throw new ExpressionException(token.At, $"`{token.Text}` is not JSON; a text stands in single quotes: '{token.Text}'");
        }
    }
}
