namespace Millstream;

/// <summary>
/// What an agent asks a person or another program; the type of the reply travels with it:
/// <c>record ApproveSpending(decimal Cost) : Question&lt;Approval&gt;</c>.
/// </summary>
/// <typeparam name="TReply">What the answer is.</typeparam>
public abstract record Question<TReply>;
