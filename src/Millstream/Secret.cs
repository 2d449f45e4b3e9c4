using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millstream;

/// <summary>
/// A reference to a secret: a variable of the environment or a file of the process that runs the task. The reference is what is journaled, hashed and shown;
/// the value is read when a task starts (<see cref="TaskContext.Reveal"/>) and is kept nowhere.
/// </summary>
/// <remarks>As JSON it is the text of the reference, <c>"env:NAME"</c> or <c>"file:/path"</c>. Any other text is refused, since it might be the secret itself.</remarks>
[JsonConverter(typeof(SecretConverter))]
public sealed record Secret
{
    private const string Environment = "env:", File = "file:";

    [ThreadStatic]
    private static List<Secret>? s_read;

    private Secret(string reference) => Reference = reference;

    /// <summary>The reference, as <c>env:API_KEY</c> or <c>file:/run/secrets/key</c>. It does not hold the value.</summary>
    public string Reference { get; }

    /// <summary>The value of a variable of the environment.</summary>
    /// <param name="name">Its name.</param>
    public static Secret FromEnvironment(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return name.AsSpan().IndexOfAny('=', '\0') < 0 ? new Secret(Environment + name) : throw new ArgumentException("This is no name of a variable: it holds '=' or U+0000.", nameof(name));
    }

    /// <summary>The text of a file, without a line break at its end.</summary>
    /// <param name="path">The file; a relative path means the current directory of now.</param>
    public static Secret FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new Secret(File + Path.GetFullPath(path));
    }

    /// <summary>Reads a reference.</summary>
    /// <exception cref="FormatException">It is neither <c>env:NAME</c> nor <c>file:/path</c>. The message does not repeat it.</exception>
    public static Secret Parse(string reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.StartsWith(Environment, StringComparison.Ordinal) && !string.IsNullOrWhiteSpace(reference[Environment.Length..]) && reference.AsSpan().IndexOfAny('=', '\0') < 0)
            return new Secret(reference);
        if (reference.StartsWith(File, StringComparison.Ordinal) && Path.IsPathFullyQualified(reference[File.Length..]) && !reference.Contains('\0', StringComparison.Ordinal))
            return new Secret(reference);
        throw new FormatException($"a secret is given as a reference, env:NAME or file:/path (absolute), and not as its value, which would be stored; these {reference.Length} characters are no reference");
    }

    /// <summary>The reference.</summary>
    public override string ToString() => Reference;

    /// <summary>The value.</summary>
    /// <exception cref="SecretMissingException">There is none now.</exception>
    internal string Read()
    {
        if (Reference.StartsWith(Environment, StringComparison.Ordinal))
            return System.Environment.GetEnvironmentVariable(Reference[Environment.Length..]) is { Length: > 0 } value ? value : throw new SecretMissingException(this, "it is not set in the environment of this process");
        try
        {
            string text = System.IO.File.ReadAllText(Reference[File.Length..]);
            text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
            return text.Length > 0 ? text : throw new SecretMissingException(this, "the file is empty");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SecretMissingException(this, "there is no such file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SecretMissingException(this, e is UnauthorizedAccessException ? "the file may not be read" : "the file cannot be read");
        }
    }

    /// <summary>Why there is no value now; null where there is one.</summary>
    internal SecretMissingException? Missing()
    {
        try
        {
            Read();
            return null;
        }
        catch (SecretMissingException e)
        {
            return e;
        }
    }

    /// <summary>The secrets that a value holds, as far as JSON sees them.</summary>
    internal static IReadOnlyList<Secret> In(PayloadType type, object? value)
    {
        byte[] json = type.ToBytes(value);
        (List<Secret>? before, s_read) = (s_read, []);
        try
        {
            type.Read(json);
            return s_read;
        }
        finally
        {
            s_read = before;
        }
    }

    private sealed class SecretConverter : JsonConverter<Secret>
    {
        public override Secret Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.String)
                throw new JsonException("A secret is a string, env:NAME or file:/path.");
            try
            {
                Secret secret = Parse(reader.GetString()!);
                s_read?.Add(secret);
                return secret;
            }
            catch (FormatException e)
            {
                throw new JsonException(char.ToUpperInvariant(e.Message[0]) + e.Message[1..] + ".");
            }
        }

        public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WriteStringValue(value.Reference);
    }
}

/// <summary>
/// A secret has no value in this process now. A task that throws it does not fail: it gives its lease back and waits until there is one, then it starts again.
/// </summary>
public sealed class SecretMissingException : MillstreamException
{
    internal SecretMissingException(Secret secret, string why) : base($"secret {secret.Reference}: {why}") => Secret = secret;

    /// <summary>Which.</summary>
    public Secret Secret { get; }
}
