using System.CommandLine;
using System.Text.Json;
using Millstream.Definitions;

namespace Millstream.Cli.Running.Models;

/// <summary>The model endpoints that a run may use, and the cassette that records or answers its calls.</summary>
internal sealed class ModelSet : IDisposable
{
    private const string DefaultFile = "models.yaml";

    private readonly Cassette? _cassette;

    private ModelSet(IReadOnlyList<LlmResource> resources, Cassette? cassette) => (Resources, _cassette) = (resources, cassette);

    public static Option<string?> File { get; } = new("--models") { Description = $"The models file; without it ./{DefaultFile} or that of your settings, else keys in the environment and a local Ollama", HelpName = "FILE" };

    public static Option<string?> Record { get; } = new("--record") { Description = "Record every call of a model into this file", HelpName = "FILE" };

    public static Option<string?> Replay { get; } = new("--replay") { Description = "Answer calls of models from a file that --record made; no model is asked", HelpName = "FILE" };

    /// <summary>No endpoints, for what asks no model.</summary>
    public static ModelSet None { get; } = new([], null);

    public IReadOnlyList<LlmResource> Resources { get; }

    /// <summary>Whether answers come from a cassette.</summary>
    public bool IsReplay => _cassette is { IsReplay: true };

    /// <summary>The endpoints of the options, else those that are found.</summary>
    /// <exception cref="CommandException">There are none, or the options exclude each other.</exception>
    public static async Task<ModelSet> OpenAsync(ParseResult parsed)
    {
        string? record = parsed.GetValue(Record), replay = parsed.GetValue(Replay), file = parsed.GetValue(File);
        if (record is not null && replay is not null)
            throw new CommandException("--record and --replay exclude each other; leave one out", ExitCode.Usage);
        if (replay is not null)
            return OfCassette(replay);
        IReadOnlyList<LlmEndpoint> endpoints = (file ?? Found()) is { } path ? Read(path) : await LlmEndpoints.FromEnvironmentAsync();
        if (endpoints.Count == 0)
            throw new CommandException(LlmEndpoints.NoneMessage, ExitCode.Usage);
        Cassette? cassette = record is null ? null : Open(() => Cassette.Record(record), "--record");
        return new ModelSet(Make(endpoints, cassette), cassette);
    }

    public void Dispose()
    {
        foreach (LlmResource resource in Resources)
            resource.Dispose();
        _cassette?.Dispose();
    }

    private static ModelSet OfCassette(string path)
    {
        Cassette cassette = Open(() => Cassette.Replay(path), "--replay");
        if (cassette.Endpoints.Count == 0)
            throw new CommandException($"'{path}' (--replay) holds no calls; record some with --record", ExitCode.Usage);
        Console.Error.WriteLine(OutputText.Clean($"millstream: replay of {path}: answers are recorded ones, and no model is asked"));
        return new ModelSet(Make(cassette.Endpoints, cassette), cassette);
    }

    private static LlmResource[] Make(IReadOnlyList<LlmEndpoint> endpoints, Cassette? cassette) => [.. endpoints.Select(e => new LlmResource(e, cassette: cassette))];

    private static Cassette Open(Func<Cassette> open, string option)
    {
        try
        {
            return open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{option}: {e.Message}", ExitCode.Usage);
        }
    }

    private static IReadOnlyList<LlmEndpoint> Read(string path)
    {
        List<LlmEndpoint> endpoints = [.. ModelsFile.Read(path).Select(e => e.Deserialize<LlmEndpoint>(Json.Options)!)];
        string[] faults = [.. endpoints.SelectMany(e => e.Validate().Select(f => $"endpoint {e.Id}: {f}"))];
        return faults.Length == 0 ? endpoints : throw new CommandException($"{path}: {string.Join($"\n{path}: ", faults)}", ExitCode.Usage);
    }

    private static string? Found()
    {
        string settings = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } set ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        return new[] { DefaultFile, Path.Combine(settings, "millstream", DefaultFile) }.FirstOrDefault(System.IO.File.Exists);
    }
}
