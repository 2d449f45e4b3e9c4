using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Millstream;

/// <summary>Finds out whether values of a type can hold a <see cref="Secret"/>, so that tasks of other types pay nothing for them.</summary>
internal static class SecretTypes
{
    public static bool Hold(JsonTypeInfo info) => Hold(info, []);

    private static bool Hold(JsonTypeInfo info, HashSet<Type> seen)
    {
        if (info.Type == typeof(Secret))
            return true;
        if (!seen.Add(info.Type))
            return false;
        foreach (Type part in Parts(info))
        {
            if (InfoOf(part, info.Options) is { } known && Hold(known, seen))
                return true;
        }
        return false;
    }

    private static IEnumerable<Type> Parts(JsonTypeInfo info)
    {
        foreach (JsonDerivedType derived in info.PolymorphismOptions?.DerivedTypes ?? [])
            yield return derived.DerivedType;
        if (info.ElementType is { } element)
            yield return element;
        if (info.Kind != JsonTypeInfoKind.Object)
            yield break;
        foreach (JsonPropertyInfo property in info.Properties)
            yield return property.PropertyType;
    }

    private static JsonTypeInfo? InfoOf(Type type, JsonSerializerOptions options)
    {
        try
        {
            return options.GetTypeInfo(type);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            // What cannot be JSON is told where it is made JSON.
            return null;
        }
    }
}
