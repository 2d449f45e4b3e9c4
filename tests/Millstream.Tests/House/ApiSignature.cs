using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Millstream.Tests.House;

/// <summary>Types and members as C# would declare them.</summary>
internal static class ApiSignature
{
    private static readonly Dictionary<string, string> Operators = new()
    {
        ["Equality"] = "==", ["Inequality"] = "!=", ["LessThan"] = "<", ["GreaterThan"] = ">", ["LessThanOrEqual"] = "<=", ["GreaterThanOrEqual"] = ">=",
        ["Addition"] = "+", ["Subtraction"] = "-", ["Implicit"] = "implicit", ["Explicit"] = "explicit",
    };

    public static string OfType(Type type)
    {
        string access = type.IsPublic || type.IsNestedPublic ? "public " : "protected ";
        string flags = Marks(type) + (type.IsDefined(typeof(FlagsAttribute)) ? "[Flags] " : "");
        string name = ApiTypes.DeclaredName(type);
        if (type.IsEnum)
            return $"{flags}{access}enum {name}{(Enum.GetUnderlyingType(type) == typeof(int) ? "" : " : " + ApiTypes.Name(Enum.GetUnderlyingType(type)))}";
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            return $"{flags}{access}delegate {ApiTypes.Name(invoke.ReturnParameter)} {name}({Parameters(invoke)}){ApiTypes.Constraints(type.GetGenericArguments())};";
        }

        bool isRecord = type.GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance) is not null
            || type.IsValueType && type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance)?.IsDefined(typeof(CompilerGeneratedAttribute)) == true;
        string kind = type.IsInterface ? "interface " : type.IsValueType
            ? (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "") + (isRecord ? "record struct " : "struct ")
            : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (isRecord ? "record " : "class ");
        IEnumerable<Type> inherited = type.BaseType?.GetInterfaces() ?? [];
        var bases = type.GetInterfaces().Except(inherited).Except(type.GetInterfaces().SelectMany(i => i.GetInterfaces()))
            .Where(i => i.IsVisible && !(isRecord && i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEquatable<>)))
            .Select(ApiTypes.Name).Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            bases.Insert(0, ApiTypes.Name(parent));
        return $"{flags}{access}{kind}{name}{(bases.Count == 0 ? "" : " : " + string.Join(", ", bases))}{ApiTypes.Constraints(type.GetGenericArguments())}";
    }

    public static string OfMember(MemberInfo member, Type type) => Marks(member) + member switch
    {
        FieldInfo field => Field(field),
        ConstructorInfo constructor => $"{Access(constructor)}{ApiTypes.PlainName(type)}({Parameters(constructor)})",
        PropertyInfo property => Property(property, type),
        EventInfo e => $"{Modifiers(e.AddMethod!)}event {ApiTypes.Name(e)} {e.Name}",
        MethodInfo method => $"{Modifiers(method)}{ApiTypes.Name(method.ReturnParameter)} {MethodName(method)}({Parameters(method)}){ApiTypes.Constraints(method.GetGenericArguments())}",
        _ => throw new ArgumentException($"{member} is no member of an API", nameof(member)),
    };

    private static string Field(FieldInfo field)
    {
        string access = field.IsPublic ? "public " : "protected ";
        return field.IsLiteral
            ? $"{access}const {ApiTypes.Name(field)} {field.Name} = {Literal(field.GetRawConstantValue(), field.FieldType)}"
            : $"{access}{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{ApiTypes.Name(field)} {field.Name}";
    }

    private static string Property(PropertyInfo property, Type type)
    {
        MethodInfo[] accessors = [.. property.GetAccessors(true).Where(a => ApiText.IsVisible(a, type))];
        MethodInfo widest = accessors.FirstOrDefault(a => a.IsPublic) ?? accessors[0];
        IEnumerable<string> parts = accessors.Select(a =>
        {
            bool isInit = a.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
            string word = a.ReturnType != typeof(void) ? "get" : isInit ? "init" : "set";
            return (a.IsPublic == widest.IsPublic ? "" : Access(a)) + word + ";";
        });
        ParameterInfo[] index = property.GetIndexParameters();
        string name = index.Length == 0 ? property.Name : $"this[{string.Join(", ", index.Select(Parameter))}]";
        return $"{Modifiers(widest)}{(property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "")}{ApiTypes.Name(property)} {name} {{ {string.Join(" ", parts)} }}";
    }

    private static string MethodName(MethodInfo method)
    {
        string name = method.Name.StartsWith("op_", StringComparison.Ordinal) && method.IsSpecialName ? "operator " + Operators.GetValueOrDefault(method.Name[3..], method.Name[3..]) : method.Name;
        return method.IsGenericMethod ? $"{name}<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : name;
    }

    private static string Parameters(MethodBase method) =>
        (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string how = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params "
            : !parameter.ParameterType.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        string value = parameter.HasDefaultValue ? " = " + Literal(parameter.RawDefaultValue, parameter.ParameterType) : "";
        return $"{how}{ApiTypes.Name(parameter)} {parameter.Name}{value}";
    }

    private static string Literal(object? value, Type type) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
        string text => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n") + "\"",
        bool flag => flag ? "true" : "false",
        char c => $"'{c}'",
        _ when (Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } e => Enum.GetName(e, value) is { } name ? $"{e.Name}.{name}" : $"({e.Name}){value}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Marks(MemberInfo member) => string.Concat(member.GetCustomAttributesData()
        .Where(a => a.AttributeType.Name is nameof(ObsoleteAttribute) or "ExperimentalAttribute")
        .Where(a => a.ConstructorArguments.FirstOrDefault().Value is not string text || !text.StartsWith("Constructors of types with required", StringComparison.Ordinal))
        .Select(a => $"[{a.AttributeType.Name[..^"Attribute".Length]}] "));

    private static string Access(MethodBase method) => method.IsPublic ? "public " : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface)
            return method.IsStatic ? "static " : method.IsAbstract ? "" : "virtual ";
        bool overrides = method.GetBaseDefinition() != method;
        string how = method.IsStatic ? "static " : method.IsAbstract ? "abstract " + (overrides ? "override " : "")
            : overrides ? (method.IsFinal ? "sealed override " : "override ") : method.IsVirtual && !method.IsFinal ? "virtual " : "";
        return Access(method) + how;
    }
}
