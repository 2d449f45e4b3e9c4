using System.Reflection;

namespace Millstream.Tests.House;

/// <summary>Names of types as C# writes them, with what may be null.</summary>
internal static class ApiTypes
{
    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool", [typeof(char)] = "char",
        [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short", [typeof(ushort)] = "ushort", [typeof(int)] = "int", [typeof(uint)] = "uint",
        [typeof(long)] = "long", [typeof(ulong)] = "ulong", [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal",
    };

    public static string Name(ParameterInfo parameter) => Name(parameter.ParameterType, Nullability.Create(parameter));

    public static string Name(FieldInfo field) => Name(field.FieldType, Nullability.Create(field));

    public static string Name(EventInfo e) => Name(e.EventHandlerType!, Nullability.Create(e));

    public static string Name(PropertyInfo property) => Name(property.PropertyType, Nullability.Create(property));

    public static string Name(Type type) => Name(type, null);

    public static string PlainName(Type type) => type.Name.Split('`')[0];

    /// <summary>The name with its type parameters, for the line that declares it.</summary>
    public static string DeclaredName(Type type)
    {
        int outer = type.DeclaringType?.GetGenericArguments().Length ?? 0;
        Type[] own = type.GetGenericArguments()[outer..];
        string prefix = type.IsNested || string.IsNullOrEmpty(type.Namespace) ? "" : type.Namespace + ".";
        return prefix + PlainName(type) + (own.Length == 0 ? "" : $"<{string.Join(", ", own.Select(a => Variance(a) + a.Name))}>");
    }

    public static string Constraints(Type[] arguments) => string.Concat(arguments.Where(a => a.IsGenericParameter).Select(Constraint));

    private static string Constraint(Type argument)
    {
        GenericParameterAttributes flags = argument.GenericParameterAttributes;
        bool isStruct = flags.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        List<string> all = [];
        if (flags.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
            all.Add("class");
        else if (isStruct)
            all.Add("struct");
        else if (IsNotNull(argument) && argument.GetGenericParameterConstraints().Length == 0)
            all.Add("notnull");
        all.AddRange(argument.GetGenericParameterConstraints().Where(c => c != typeof(ValueType)).Select(Name));
        if (flags.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct)
            all.Add("new()");
        return all.Count == 0 ? "" : $" where {argument.Name} : {string.Join(", ", all)}";
    }

    private static string Variance(Type argument) => (argument.GenericParameterAttributes & GenericParameterAttributes.VarianceMask) switch
    {
        GenericParameterAttributes.Covariant => "out ",
        GenericParameterAttributes.Contravariant => "in ",
        _ => "",
    };

    private static string Name(Type type, NullabilityInfo? info)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!, info);
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Name(underlying, info?.GenericTypeArguments.FirstOrDefault() is { } inner && inner.Type == underlying ? inner : null) + "?";
        bool mayBeNull = info is not null && !type.IsValueType && (info.ReadState == NullabilityState.Nullable || info.WriteState == NullabilityState.Nullable)
            && !(type.IsGenericParameter && !CanTellNull(type));
        return Bare(type, info) + (mayBeNull ? "?" : "");
    }

    // A T without constraints "may be null" by itself, whether or not a ? was written.
    private static bool CanTellNull(Type argument) => argument.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint)
        || argument.GetGenericParameterConstraints().Length > 0 || IsNotNull(argument);

    // The compiler writes 1 for "never null", on the parameter or, where most members agree, once on what declares it.
    private static bool IsNotNull(Type argument)
    {
        if (Flag(argument, "NullableAttribute") is { } own)
            return own == 1;
        for (MemberInfo? owner = argument.DeclaringMethod ?? (MemberInfo?)argument.DeclaringType; owner is not null; owner = owner.DeclaringType)
            if (Flag(owner, "NullableContextAttribute") is { } shared)
                return shared == 1;
        return false;
    }

    private static byte? Flag(MemberInfo member, string attribute) =>
        member.CustomAttributes.FirstOrDefault(a => a.AttributeType.Name == attribute)?.ConstructorArguments[0].Value as byte?;

    private static string Bare(Type type, NullabilityInfo? info)
    {
        if (type.IsArray)
            return $"{Name(type.GetElementType()!, info?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (type.IsPointer)
            return Name(type.GetElementType()!) + "*";
        if (type.IsGenericParameter || !type.IsGenericType)
            return Keywords.GetValueOrDefault(type) ?? (type.IsNested && !type.IsGenericParameter ? Bare(type.DeclaringType!, null) + "." : "") + type.Name;
        Type[] arguments = type.GetGenericArguments();
        string list = string.Join(", ", arguments.Select((a, i) => Name(a, info?.GenericTypeArguments.ElementAtOrDefault(i))));
        if (type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true)
            return $"({list})";
        return (type.IsNested ? Bare(type.DeclaringType!, null) + "." : "") + $"{PlainName(type)}<{list}>";
    }
}
