namespace Millstream;

/// <summary>Endpoints that are found without a file.</summary>
public static class LlmEndpoints
{
    /// <summary>Where Ollama listens unless told otherwise.</summary>
    public const string DefaultOllama = "http://127.0.0.1:11434";
}
