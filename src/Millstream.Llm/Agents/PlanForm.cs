using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>The answer of a planner: the text of a workflow without faults.</summary>
internal sealed class PlanForm(PlanPolicy policy) : OutputForm
{
    public override ChatResponseFormat? Format => null;

    public override bool IsPlan => true;

    public override bool TryRead(string text, out object? output, out string fault)
    {
        string plan = WithoutFence(text);
        WorkflowReading reading = policy.Reader.Read(plan, policy.Rules);
        (output, fault) = (plan, string.Join("\n", reading.Faults));
        return reading.Faults.Count == 0;
    }

    public override string Repair(string fault) => $"The workflow has faults:\n{fault}\nAnswer with the whole workflow again, without these faults and without any text around it.";
}
