namespace Millstream.Definitions;

/// <summary>The tasks that an expression names: every <c>tasks.ID</c> in it.</summary>
internal static class TaskReferences
{
    public static IEnumerable<string> In(Expr? expr) => expr switch
    {
        SubExpr { Left: FieldExpr { Name: "tasks" }, Right: FieldExpr task } => [task.Name],
        SubExpr sub => In(sub.Left).Concat(In(sub.Right)),
        PipeExpr pipe => In(pipe.Left).Concat(In(pipe.Right)),
        ProjectionExpr projection => In(projection.Left).Concat(In(projection.Condition)).Concat(In(projection.Right)),
        EitherExpr either => In(either.Left).Concat(In(either.Right)),
        CompareExpr compare => In(compare.Left).Concat(In(compare.Right)),
        ArithmeticExpr arithmetic => In(arithmetic.Left).Concat(In(arithmetic.Right)),
        SignExpr sign => In(sign.Operand),
        NotExpr not => In(not.Operand),
        ListExpr list => list.Items.SelectMany(In),
        HashExpr hash => hash.Fields.SelectMany(f => In(f.Value)),
        ReferenceExpr reference => In(reference.Body),
        CallExpr call => call.Arguments.SelectMany(In),
        _ => [],
    };
}
