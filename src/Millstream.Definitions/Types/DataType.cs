namespace Millstream.Definitions;

internal enum DataKind { Any, Null, Boolean, Integer, Number, String, Duration, Size, Choice, Array, Map, Object, Root, Tasks }

/// <summary>A field of an object type.</summary>
internal sealed record DataField(DataType Type, bool Required = false);

/// <summary>
/// What is known of a value before anything runs. <see cref="DataKind.Any"/> is checked when it runs.
/// Root and Tasks are the names an expression starts from: never values themselves.
/// </summary>
internal sealed class DataType
{
    private DataType(DataKind kind) => Kind = kind;

    public DataKind Kind { get; }

    /// <summary>The items of an array, or the values of a map.</summary>
    public DataType Item { get; private init; } = null!;

    public IReadOnlyDictionary<string, DataField> Fields { get; private init; } = new Dictionary<string, DataField>();

    public IReadOnlyList<string> Choices { get; private init; } = [];

    public static DataType Any { get; } = new(DataKind.Any);
    public static DataType Null { get; } = new(DataKind.Null);
    public static DataType Boolean { get; } = new(DataKind.Boolean);
    public static DataType Integer { get; } = new(DataKind.Integer);
    public static DataType Number { get; } = new(DataKind.Number);
    public static DataType String { get; } = new(DataKind.String);
    public static DataType Duration { get; } = new(DataKind.Duration);
    public static DataType Size { get; } = new(DataKind.Size);

    public static DataType ArrayOf(DataType item) => new(DataKind.Array) { Item = item };
    public static DataType MapOf(DataType item) => new(DataKind.Map) { Item = item };
    public static DataType OneOf(params string[] choices) => new(DataKind.Choice) { Choices = choices };
    public static DataType ObjectOf(IReadOnlyDictionary<string, DataField> fields) => new(DataKind.Object) { Fields = fields };
    public static DataType ObjectOf(params (string Name, DataType Type)[] fields) =>
        ObjectOf(fields.ToDictionary(f => f.Name.TrimEnd('!'), f => new DataField(f.Type, f.Name.EndsWith('!')), StringComparer.Ordinal));
    public static DataType RootOf(IReadOnlyDictionary<string, DataField> fields) => new(DataKind.Root) { Fields = fields };
    public static DataType TasksOf(IReadOnlyDictionary<string, DataField> fields) => new(DataKind.Tasks) { Fields = fields };

    public bool IsText => Kind is DataKind.String or DataKind.Duration or DataKind.Size or DataKind.Choice;

    /// <summary>The type names of a file: string, integer, number, boolean, object, any, array, array&lt;T&gt;. Null when it is none.</summary>
    public static DataType? Parse(string text)
    {
        text = text.Trim();
        if (text.StartsWith("array<", StringComparison.Ordinal) && text.EndsWith('>'))
            return text.Length <= 100 && Parse(text[6..^1]) is { } item ? ArrayOf(item) : null;
        return text switch
        {
            "string" => String,
            "integer" => Integer,
            "number" => Number,
            "boolean" => Boolean,
            "object" => MapOf(Any),
            "array" => ArrayOf(Any),
            "any" => Any,
            _ => null,
        };
    }

    /// <summary>Whether a value of this type may stand where <paramref name="target"/> is wanted, as far as is known.</summary>
    public bool Fits(DataType target)
    {
        if (target.Kind is DataKind.Any || Kind is DataKind.Any)
            return true;
        return target.Kind switch
        {
            DataKind.Number => Kind is DataKind.Integer or DataKind.Number,
            DataKind.Duration or DataKind.Choice or DataKind.String => IsText,
            DataKind.Size => IsText || Kind is DataKind.Integer,
            DataKind.Array => Kind is DataKind.Array && Item.Fits(target.Item),
            DataKind.Map => Kind is DataKind.Map ? Item.Fits(target.Item) : Kind is DataKind.Object && Fields.Values.All(f => f.Type.Fits(target.Item)),
            DataKind.Object => Kind is DataKind.Map || Kind is DataKind.Object && FitsFields(target),
            _ => Kind == target.Kind,
        };
    }

    private bool FitsFields(DataType target) =>
        target.Fields.All(f => Fields.TryGetValue(f.Key, out DataField? mine) ? mine.Type.Fits(f.Value.Type) : !f.Value.Required)
        && Fields.Keys.All(target.Fields.ContainsKey);

    /// <summary>The type of a value that is one of two.</summary>
    public static DataType Join(DataType a, DataType b)
    {
        if (a.Kind is DataKind.Null)
            return b;
        if (b.Kind is DataKind.Null || b.Kind == a.Kind && b.Fits(a) && a.Fits(b))
            return a;
        return a.Fits(Number) && b.Fits(Number) && a.Kind is not DataKind.Any && b.Kind is not DataKind.Any ? Number : Any;
    }

    public override string ToString() => Kind switch
    {
        DataKind.Array => $"array<{Item}>",
        DataKind.Map or DataKind.Object => "object",
        DataKind.Choice => "one of " + string.Join(", ", Choices),
        DataKind.Duration => "a duration such as 30s",
        DataKind.Size => "a size such as 64MiB",
        _ => Kind.ToString().ToLowerInvariant(),
    };
}
