using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Millstream.Tests.House;

/// <summary>The public API of an assembly as text: what users may name, derive from and call, in an order that does not change.</summary>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder().Append("# ").Append(assembly.GetName().Name).Append('\n');
        foreach (Type type in assembly.GetTypes().Where(t => IsVisible(t) && !t.IsNested).OrderBy(t => t.Namespace, StringComparer.Ordinal).ThenBy(t => t.FullName, StringComparer.Ordinal))
            Write(text.Append('\n'), type, "");
        return text.ToString();
    }

    public static void Write(StringBuilder text, Type type, string indent)
    {
        text.Append(indent).Append(ApiSignature.OfType(type));
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            text.Append('\n');
            return;
        }

        string[] lines = type.IsEnum
            ? [.. Enum.GetNames(type).Select(n => $"{n} = {Convert.ToInt64(Enum.Parse(type, n), null)},")]
            : [.. Members(type).Select(m => (rank: Rank(m), m.Name, text: ApiSignature.OfMember(m, type)))
                .OrderBy(m => m.rank).ThenBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.text, StringComparer.Ordinal).Select(m => m.text)];
        Type[] nested = [.. type.GetNestedTypes(Declared).Where(IsVisible).OrderBy(t => t.Name, StringComparer.Ordinal)];
        if (lines.Length + nested.Length == 0)
        {
            text.Append(" { }\n");
            return;
        }

        text.Append('\n').Append(indent).Append("{\n");
        foreach (string line in lines)
            text.Append(indent).Append("    ").Append(line).Append('\n');
        foreach (Type inner in nested)
            Write(text, inner, indent + "    ");
        text.Append(indent).Append("}\n");
    }

    private static IEnumerable<MemberInfo> Members(Type type) => type.GetMembers(Declared).Where(m => IsOurs(m) && m switch
    {
        ConstructorInfo constructor => IsVisible(constructor, type),
        MethodInfo method => (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && IsVisible(method, type),
        PropertyInfo property => property.GetAccessors(true).Any(a => IsVisible(a, type)),
        EventInfo e => IsVisible(e.AddMethod!, type),
        FieldInfo field => field.IsPublic || (field.IsFamily || field.IsFamilyOrAssembly) && !type.IsSealed,
        _ => false,
    });

    /// <summary>What a record or a primary constructor adds by itself says nothing new.</summary>
    private static bool IsOurs(MemberInfo member) => member is PropertyInfo { Name: not "EqualityContract" } || !member.IsDefined(typeof(CompilerGeneratedAttribute)) && member.Name != "EqualityContract";

    public static bool IsVisible(MethodBase method, Type type) => method.IsPublic || (method.IsFamily || method.IsFamilyOrAssembly) && !type.IsSealed;

    private static bool IsVisible(Type type) => type.IsPublic || type.IsNestedPublic && IsVisible(type.DeclaringType!)
        || (type.IsNestedFamily || type.IsNestedFamORAssem) && !type.DeclaringType!.IsSealed && IsVisible(type.DeclaringType);

    private static int Rank(MemberInfo member) => member switch { FieldInfo => 0, ConstructorInfo => 1, PropertyInfo => 2, EventInfo => 3, _ => 4 };
}
