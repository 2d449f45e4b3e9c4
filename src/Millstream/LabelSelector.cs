using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;

namespace Millstream;

/// <summary>
/// Which resources a requirement accepts, by their labels. Clauses stand between commas and must all hold:
/// <c>vendor = nvidia</c>, <c>zone in (a, b)</c>, <c>mem &gt;= 16</c> (numeric, decimals allowed) and a bare key
/// (<c>gpu</c>: the label exists). Values with other characters than letters, digits and <c>_ - . / : +</c> are quoted.
/// Two selectors that say the same in another order are equal.
/// </summary>
public sealed class LabelSelector : IEquatable<LabelSelector>
{
    private readonly LabelClause[] clauses;
    private readonly string text;
    private readonly int hash;

    private LabelSelector(LabelClause[] clauses)
    {
        this.clauses = [.. clauses.DistinctBy(c => c.Text).OrderBy(c => c.Text, StringComparer.Ordinal)];
        text = string.Join(", ", this.clauses.Select(c => c.Text));
        hash = StableHash.Of(text);
    }

    /// <summary>The selector without clauses: it matches every resource.</summary>
    public static LabelSelector All { get; } = new([]);

    internal ReadOnlySpan<LabelClause> Clauses => clauses;

    /// <summary>Reads a selector; empty text gives <see cref="All"/>.</summary>
    /// <exception cref="ArgumentException">The text is not a selector; the message names the clause and its position.</exception>
    public static LabelSelector Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out LabelSelector? selector, out string? error) ? selector : throw new ArgumentException(error, nameof(text));
    }

    /// <summary>Reads a selector; <paramref name="error"/> names the clause and its position where the text is none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out LabelSelector? selector, [NotNullWhen(false)] out string? error)
    {
        if (!LabelSelectorParser.TryRead(text ?? "", out List<LabelClause> clauses, out error))
        {
            selector = null;
            return false;
        }

        selector = clauses.Count == 0 ? All : new LabelSelector([.. clauses]);
        return true;
    }

    /// <summary>Whether every clause holds for these labels.</summary>
    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        foreach (LabelClause clause in clauses)
        {
            if (!clause.Matches(labels))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(LabelSelector? other) => other is not null && text == other.text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LabelSelector);

    /// <inheritdoc/>
    public override int GetHashCode() => hash;

    /// <summary>The selector in its one canonical spelling, which <see cref="Parse"/> reads back.</summary>
    public override string ToString() => text;

    /// <summary>Whether both say the same.</summary>
    public static bool operator ==(LabelSelector? left, LabelSelector? right) => Equals(left, right);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(LabelSelector? left, LabelSelector? right) => !Equals(left, right);

    internal static IReadOnlyDictionary<string, string> NoLabels { get; } = ReadOnlyDictionary<string, string>.Empty;
}
