using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Millstream;

/// <summary>The types that an agent takes and gives, as JSON: checked when it is registered, since a job may outlive its process.</summary>
public sealed class AgentContract
{
    private AgentContract(PayloadType input, PayloadType output, PayloadType @event, PayloadType signal, PayloadType? state) =>
        (Input, Output, Event, Signal, State) = (input, output, @event, signal, state);

    /// <summary>The JSON schema of the input.</summary>
    public JsonElement InputSchema => SchemaOf(Input);

    /// <summary>The JSON schema of the output.</summary>
    public JsonElement OutputSchema => SchemaOf(Output);

    /// <summary>The JSON schema of the events.</summary>
    public JsonElement EventSchema => SchemaOf(Event);

    /// <summary>The JSON schema of the signals.</summary>
    public JsonElement SignalSchema => SchemaOf(Signal);

    internal PayloadType Input { get; }

    internal PayloadType Output { get; }

    internal PayloadType Event { get; }

    internal PayloadType Signal { get; }

    /// <summary>The state of a loop agent.</summary>
    internal PayloadType? State { get; }

    // People type "$type" anywhere in an object, and some stores reorder.
    internal static JsonSerializerOptions DefaultOptions { get; } = MakeOptions();

    /// <summary>The contract in words, as in <c>Topic -&gt; Report, events ResearchEvent, signals ResearchSignal</c>.</summary>
    public override string ToString() => $"{Input.Type.Name} -> {Output.Type.Name}, events {Event.Type.Name}, signals {Signal.Type.Name}";

    internal static AgentContract Of<TInput, TOutput, TEvent, TSignal>(string agent, JsonSerializerOptions options, Func<JsonSerializerOptions, List<string>, PayloadType?> state)
    {
        List<string> faults = [];
        AgentContract contract = new(
            Check<TInput>("input", options, faults), Check<TOutput>("output", options, faults), Check<TEvent>("event", options, faults), Check<TSignal>("signal", options, faults), state(options, faults));
        return faults.Count == 0 ? contract : throw new AgentContractException(agent, faults);
    }

    private static JsonSerializerOptions MakeOptions()
    {
        JsonSerializerOptions options = new(JsonSerializerDefaults.Web)
        {
            AllowOutOfOrderMetadataProperties = true,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
            NumberHandling = JsonNumberHandling.Strict,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.MakeReadOnly();
        return options;
    }

    internal static PayloadType Check<T>(string role, JsonSerializerOptions options, List<string> faults)
    {
        Type type = typeof(T);
        try
        {
            var info = (JsonTypeInfo<T>)options.GetTypeInfo(type);
            if (type == typeof(object))
                faults.Add($"the {role} type is object, of which JSON keeps nothing; use JsonElement or a type of your own");
            else if (info.Kind == JsonTypeInfoKind.Object && (type.IsAbstract || type.IsInterface) && info.PolymorphismOptions is null)
                faults.Add($"the {role} type {type.Name} is abstract and names no subtypes, so it would be saved as {{}}; add [JsonDerivedType(typeof(…), \"name\")] for each");
            else
                CheckSubtypes(role, type, info, faults);
            return new PayloadType<T>(info);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException)
        {
            faults.Add($"the {role} type {type.Name} cannot be JSON: {e.Message}");
            return PayloadType.Of<T>();
        }
    }

    // A subtype that is not listed is saved as its base, silently losing its fields.
    private static void CheckSubtypes(string role, Type type, JsonTypeInfo info, List<string> faults)
    {
        if (info.Kind != JsonTypeInfoKind.Object || type.IsSealed || type.Assembly == typeof(object).Assembly)
            return;
        HashSet<Type> listed = [.. info.PolymorphismOptions?.DerivedTypes.Select(d => d.DerivedType) ?? []];
        foreach (Type derived in TypesOf(type.Assembly).Where(t => t != type && !t.IsAbstract && !t.IsGenericTypeDefinition && type.IsAssignableFrom(t) && !listed.Contains(t)))
            faults.Add($"the {role} type {type.Name} has a subtype {derived.Name} that is not listed, so its fields would be lost; add [JsonDerivedType(typeof({derived.Name}), \"name\")] to {type.Name}");
    }

    private static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException e)
        {
            return e.Types.OfType<Type>();
        }
    }

    private static JsonElement SchemaOf(PayloadType payload)
    {
        JsonNode schema = DefaultOptions.GetJsonSchemaAsNode(payload.Type);
        return JsonSerializer.SerializeToElement(schema);
    }
}
