using System.Reflection;

namespace Millstream.Tests.House;

/// <summary>The documentation id of a member, which is how lists of banned symbols name it.</summary>
internal static class DocId
{
    public static string Of(MemberInfo member) => member switch
    {
        Type type => "T:" + Name(type),
        PropertyInfo property => $"P:{Name(property.DeclaringType!)}.{property.Name}",
        ConstructorInfo constructor => $"M:{Name(constructor.DeclaringType!)}.#ctor{Parameters(constructor)}",
        MethodInfo method => $"M:{Name(method.DeclaringType!)}.{method.Name}{(method.IsGenericMethod ? "``" + method.GetGenericArguments().Length : "")}{Parameters(method)}",
        _ => throw new ArgumentException($"{member} has no id here", nameof(member)),
    };

    private static string Parameters(MethodBase method)
    {
        ParameterInfo[] parameters = method.GetParameters();
        return parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(p => Argument(p.ParameterType)))})";
    }

    private static string Name(Type type) => (type.FullName ?? $"{type.Namespace}.{type.Name}").Replace('+', '.');

    private static string Argument(Type type)
    {
        if (type.IsGenericParameter)
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        if (type.IsArray)
            return Argument(type.GetElementType()!) + "[]";
        if (type.IsByRef)
            return Argument(type.GetElementType()!) + "@";
        if (!type.IsGenericType)
            return Name(type);
        string name = Name(type.GetGenericTypeDefinition());
        return $"{name[..name.IndexOf('`')]}{{{string.Join(',', type.GetGenericArguments().Select(Argument))}}}";
    }
}
