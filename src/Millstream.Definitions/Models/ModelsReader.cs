using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millstream.Definitions;

/// <summary>Reads the endpoints of a models file.</summary>
internal sealed class ModelsReader(FaultList faults)
{
    public static readonly string[] Providers = ["openai", "openai-responses", "azure", "anthropic", "ollama"];

    private readonly NodeReader _nodes = new(faults);

    public IReadOnlyList<JsonElement>? Read(YamlNode root)
    {
        if (_nodes.Map(root, "the file", Keys.Models) is not { } map)
            return null;
        FileKind.Models.Check(_nodes, map, isNeeded: true);
        _nodes.Text(map, "$schema", "'$schema'");
        if (map.Find("endpoints") is not { } entry)
        {
            faults.Add(map.Mark, "'endpoints' is missing: a list of places where models can be asked");
            return null;
        }
        if (entry.Value is not YamlList { Items.Count: > 0 } list)
        {
            faults.Add(entry.Value.Mark, $"'endpoints' must be a list such as [{{ id: local, provider: ollama, model: llama3.2 }}], this is {(entry.Value is YamlList ? "an empty one" : entry.Value.Describe())}");
            return null;
        }
        List<JsonElement> endpoints = [];
        Dictionary<string, Mark> ids = new(StringComparer.Ordinal);
        foreach ((YamlNode node, int i) in list.Items.Select((n, i) => (n, i)))
        {
            if (_nodes.Map(node, $"endpoints[{i}]", Keys.Endpoint) is not { } endpoint)
                continue;
            endpoints.Add(JsonSerializer.SerializeToElement(Endpoint(endpoint, $"endpoints[{i}]", out string? id)));
            if (id is not null && !ids.TryAdd(id, endpoint.Mark))
                faults.Add(endpoint.Find("id")!.Value.Mark, $"a second endpoint has the id '{id}'; the first stands in line {ids[id].Line}");
        }
        return endpoints;
    }

    private JsonObject Endpoint(YamlMap map, string name, out string? id)
    {
        JsonObject endpoint = [];
        void Put(string key, JsonNode? value) => AgentDefinition.Put(endpoint, key, value);
        id = Needed(map, "id", name, "a name of its own");
        if (id is not null && !Words.IsId(id))
            faults.Add(map.Find("id")!.Value.Mark, $"{name}.id '{id}' must be letters, digits, '_', '-' and '.'");
        Put("id", id);
        string? provider = _nodes.Choice(map, "provider", name + ".provider", Providers);
        if (map.Find("provider") is null)
            faults.Add(map.Mark, $"{name} needs 'provider': {string.Join(", ", Providers)}");
        Put("provider", provider);
        string? model = Needed(map, "model", name, "the model's name as the server knows it");
        if (model is not null && string.IsNullOrWhiteSpace(model))
            faults.Add(map.Find("model")!.Value.Mark, $"{name}.model is empty; give the model's name as the server knows it");
        Put("model", model);
        Put("baseUrl", Address(map, provider, name));
        Put("apiKey", Key(map, name));
        Put("apiVersion", Version(map, provider, name));
        Put("labels", Labels(map, name));
        Put("maxConcurrency", _nodes.Whole(map, "max_concurrency", name + ".max_concurrency", 1));
        Put("requestsPerMinute", _nodes.Long(map, "requests_per_minute", name + ".requests_per_minute", 1));
        Put("tokensPerMinute", _nodes.Long(map, "tokens_per_minute", name + ".tokens_per_minute", 1));
        Put("tier", _nodes.Whole(map, "tier", name + ".tier", 0));
        Put("weight", _nodes.Number(map, "weight", name + ".weight", 0) is { } weight ? Weight(weight, map, name) : null);
        Put("firstTokenTimeout", Time(map, "first_token_timeout", name));
        Put("stallTimeout", Time(map, "stall_timeout", name));
        Put("price", Price(map, name));
        return endpoint;
    }

    private string? Needed(YamlMap map, string key, string name, string what)
    {
        if (map.Find(key) is null)
            faults.Add(map.Mark, $"{name} needs '{key}', {what}");
        return _nodes.Text(map, key, $"{name}.{key}");
    }

    // Never repeated: a key may stand in an address, too.
    private string? Address(YamlMap map, string? provider, string name)
    {
        string? url = _nodes.Text(map, "base_url", name + ".base_url");
        if (url is null && map.Find("base_url") is null && provider == "azure")
            faults.Add(map.Mark, $"{name} needs 'base_url'; Azure has none of its own, write https://NAME.openai.azure.com");
        if (url is not null && !(Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri is { UserInfo: "", Query: "", Fragment: "" }))
            faults.Add(map.Find("base_url")!.Value.Mark, $"{name}.base_url is no http or https address without user, query and fragment; write it as https://host/path");
        return url;
    }

    private string? Key(YamlMap map, string name)
    {
        if (map.Find("api_key") is not { } entry)
            return null;
        if (entry.Value is not YamlScalar { IsNull: false } scalar)
        {
            faults.Add(entry.Value.Mark, $"{name}.api_key must be a reference, env:NAME or file:/path");
            return null;
        }
        try
        {
            return Secret.Parse(scalar.Text).Reference;
        }
        catch (FormatException e)
        {
            faults.Add(scalar.Mark, $"{name}.api_key: {e.Message}");
            return null;
        }
    }

    private string? Version(YamlMap map, string? provider, string name)
    {
        string? version = _nodes.Text(map, "api_version", name + ".api_version");
        if (map.Find("api_version") is null && provider == "azure")
            faults.Add(map.Mark, $"{name} needs 'api_version', Azure's api-version, as 2024-10-21");
        if (map.Find("api_version") is { } entry && provider is not (null or "azure"))
            faults.Add(entry.KeyMark, $"{name}.api_version is for azure only; leave it out");
        return version;
    }

    private JsonArray? Labels(YamlMap map, string name)
    {
        if (map.Find("labels") is not { } entry)
            return null;
        if (entry.Value is YamlList list && list.Items.All(l => l is YamlScalar { IsNull: false, Text: var text } && !string.IsNullOrWhiteSpace(text)))
            return [.. list.Items.Select(l => (JsonNode)((YamlScalar)l).Text)];
        faults.Add(entry.Value.Mark, $"{name}.labels must be a list of words such as [default, fast], this is {entry.Value.Describe()}");
        return null;
    }

    private JsonNode? Weight(double weight, YamlMap map, string name)
    {
        if (weight > 0 && double.IsFinite(weight))
            return weight;
        faults.Add(map.Find("weight")!.Value.Mark, $"{name}.weight must be above zero, this is {map.Find("weight")!.Value.Describe()}");
        return null;
    }

    private JsonNode? Time(YamlMap map, string key, string name) => _nodes.Duration(map, key, $"{name}.{key}") is { } time ? JsonSerializer.SerializeToNode(time) : null;

    private JsonObject? Price(YamlMap map, string name)
    {
        if (map.Find("price") is not { } entry || _nodes.Map(entry.Value, name + ".price", Keys.Price) is not { } given)
            return null;
        JsonObject price = [];
        foreach ((string key, string field) in new[] { ("input", "inputPerMillion"), ("output", "outputPerMillion"), ("cached_input", "cachedInputPerMillion") })
        {
            if (given.Find(key) is null && key != "cached_input")
                faults.Add(given.Mark, $"{name}.price needs '{key}', US dollars for a million tokens");
            if (_nodes.Number(given, key, $"{name}.price.{key}", 0) is not { } dollars)
                continue;
            if (dollars <= 1_000_000_000)
                price[field] = (decimal)dollars;
            else
                faults.Add(given.Find(key)!.Value.Mark, $"{name}.price.{key} must be at most 1000000000, this is {given.Find(key)!.Value.Describe()}");
        }
        return price;
    }
}
