namespace Millstream.Definitions;

/// <summary>
/// The functions of the expression language. <c>&amp;</c> is an expression over the items of the first array, <c>?</c> an argument
/// that may be left out, <c>*</c> one that may repeat; a result may be <c>item</c> or <c>same</c> of the first argument.
/// </summary>
internal sealed record Function(string Name, IReadOnlyList<string> Parameters, string Result)
{
    private static readonly string[] Signatures =
    [
        "abs(number) number", "avg(array<number>) number", "ceil(number) number", "contains(any,any) boolean", "ends_with(string,string) boolean",
        "find_first(string,string,integer?,integer?) integer", "find_last(string,string,integer?,integer?) integer", "floor(number) number",
        "from_items(array) object", "group_by(array,&) object", "items(object) array<array>", "join(string,array<string>) string",
        "keys(object) array<string>", "length(any) integer", "lower(string) string", "map(&,array) mapped", "max(array) item", "max_by(array,&) item",
        "merge(object*) object", "min(array) item", "min_by(array,&) item", "not_null(any*) any", "pad_left(string,integer,string?) string",
        "pad_right(string,integer,string?) string", "replace(string,string,string,integer?) string", "reverse(any) same", "sort(array) same",
        "sort_by(array,&) same", "split(string,string,integer?) array<string>", "starts_with(string,string) boolean", "sum(array<number>) number",
        "to_array(any) array", "to_number(any) number", "to_string(any) string", "trim(string,string?) string", "trim_left(string,string?) string",
        "trim_right(string,string?) string", "type(any) string", "upper(string) string", "values(object) array", "zip(array*) array<array>",
    ];

    public static IReadOnlyDictionary<string, Function> All { get; } = Signatures.Select(Read).ToDictionary(f => f.Name, StringComparer.Ordinal);

    public int Least => Parameters.Count(p => !p.EndsWith('?'));

    public bool Repeats => Parameters[^1].EndsWith('*');

    public string Parameter(int index) => Parameters[Math.Min(index, Parameters.Count - 1)].TrimEnd('?', '*');

    private static Function Read(string signature)
    {
        int open = signature.IndexOf('(', StringComparison.Ordinal), close = signature.IndexOf(')', StringComparison.Ordinal);
        return new Function(signature[..open], signature[(open + 1)..close].Split(','), signature[(close + 2)..]);
    }
}
