using System.Globalization;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace Millstream.Definitions;

/// <summary>The library makes a list of all numbers of <c>(a..b)</c> before a loop begins; a long one would take the process down.</summary>
internal sealed class BoundedRanges : AstRewriter
{
    public const int Most = 100_000;

    protected override Fluid.Ast.Expression VisitRangeExpression(RangeExpression rangeExpression) => new Bounded(rangeExpression);

    private sealed class Bounded(RangeExpression range) : Fluid.Ast.Expression
    {
        public override async ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
        {
            decimal from = (await range.From.EvaluateAsync(context)).ToNumberValue(), to = (await range.To.EvaluateAsync(context)).ToNumberValue();
            if (to - from >= Most)
                throw new KindFailureException(string.Create(CultureInfo.InvariantCulture, $"template: the range ({from}..{to}) has more than {Most} numbers"));
            return await range.EvaluateAsync(context);
        }
    }
}
