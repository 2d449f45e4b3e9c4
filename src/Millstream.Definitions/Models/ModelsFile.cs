using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>Reads models files (YAML or JSON, <c>kind: models</c>): where models can be asked. They hold no keys, only where keys are.</summary>
public static class ModelsFile
{
    /// <summary>Reads and validates a file.</summary>
    /// <returns>Of each endpoint the JSON of an <c>LlmEndpoint</c> of <c>Millstream.Llm</c>, in the order of the file.</returns>
    /// <exception cref="WorkflowFileException">Something is wrong; holds every fault.</exception>
    public static IReadOnlyList<JsonElement> Read(string path, WorkflowLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(WorkflowFile.Load(path, limits ?? WorkflowLimits.Default), path, limits);
    }

    /// <summary>Reads and validates text.</summary>
    /// <param name="text">The YAML or JSON text.</param>
    /// <param name="path">The file it came from, named in faults; empty for none.</param>
    /// <param name="limits">Bounds on the text; the defaults when null.</param>
    /// <returns>Of each endpoint the JSON of an <c>LlmEndpoint</c> of <c>Millstream.Llm</c>, in the order of the file.</returns>
    /// <exception cref="WorkflowFileException">Something is wrong; holds every fault.</exception>
    public static IReadOnlyList<JsonElement> Parse(string text, string path = "", WorkflowLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        FilePlace place = new(path, new WorkflowTexts(), limits ?? WorkflowLimits.Default, [], HasAgents: false);
        return WorkflowFile.Parse(text, place, FileKind.Models, static (faults, root) => new ModelsReader(faults).Read(root));
    }
}
