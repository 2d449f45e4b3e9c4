namespace Millstream.Definitions;

/// <summary>A parsed JMESPath expression, for types and references; the library evaluates.</summary>
/// <param name="At">Where it begins in its text, from 0.</param>
internal abstract record Expr(int At);

internal sealed record CurrentExpr(int At) : Expr(At);
internal sealed record FieldExpr(int At, string Name, bool Quoted) : Expr(At);
internal sealed record LiteralExpr(int At, DataType Type) : Expr(At);
internal sealed record IndexExpr(int At, int Index) : Expr(At);
internal sealed record SubExpr(int At, Expr Left, Expr Right) : Expr(At);
internal sealed record PipeExpr(int At, Expr Left, Expr Right) : Expr(At);
internal sealed record ProjectionExpr(int At, ProjectionKind Kind, Expr Left, Expr? Condition, Expr Right) : Expr(At);
internal sealed record EitherExpr(int At, Expr Left, Expr Right) : Expr(At);
internal sealed record CompareExpr(int At, string Operator, Expr Left, Expr Right) : Expr(At);
internal sealed record ArithmeticExpr(int At, string Operator, Expr Left, Expr Right) : Expr(At);
internal sealed record SignExpr(int At, Expr Operand) : Expr(At);
internal sealed record NotExpr(int At, Expr Operand) : Expr(At);
internal sealed record ListExpr(int At, IReadOnlyList<Expr> Items) : Expr(At);
internal sealed record HashExpr(int At, IReadOnlyList<(string Name, Expr Value)> Fields) : Expr(At);
internal sealed record ReferenceExpr(int At, Expr Body) : Expr(At);
internal sealed record CallExpr(int At, string Name, IReadOnlyList<Expr> Arguments) : Expr(At);

internal enum ProjectionKind { List, Flatten, Values, Filter, Slice }

/// <summary>An expression that cannot be read; <paramref name="at"/> is where in its text.</summary>
internal sealed class ExpressionException(int at, string message) : Exception(message)
{
    public int At => at;
}
