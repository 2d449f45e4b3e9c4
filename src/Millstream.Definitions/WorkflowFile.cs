using System.Text;

namespace Millstream.Definitions;

/// <summary>Reads workflow files (YAML or JSON). Nothing of a workflow runs while it is read.</summary>
public static class WorkflowFile
{
    /// <summary>Reads and validates a file and the workflow files that it names.</summary>
    /// <exception cref="WorkflowFileException">Something is wrong; holds every fault.</exception>
    public static WorkflowDefinition Read(string path, WorkflowLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(path, limits ?? WorkflowLimits.Default, hasAgents: true);
    }

    /// <summary>Reads and validates text.</summary>
    /// <param name="text">The YAML or JSON text.</param>
    /// <param name="path">The file it came from: named in faults, and other files are found relative to it. Empty for none.</param>
    /// <param name="limits">Bounds on the text; the defaults when null.</param>
    /// <exception cref="WorkflowFileException">Something is wrong; holds every fault.</exception>
    public static WorkflowDefinition Parse(string text, string path = "", WorkflowLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text, path, limits ?? WorkflowLimits.Default, new WorkflowTexts(), []);
    }

    /// <summary>Reads a file for a host that has no agents, so that a task of kind <c>agent</c> is a fault.</summary>
    internal static WorkflowDefinition ReadWithoutAgents(string path) => Read(path, WorkflowLimits.Default, hasAgents: false);

    internal static WorkflowDefinition Parse(string text, string path, WorkflowLimits limits, WorkflowTexts texts, IReadOnlyList<string> parents, bool hasAgents = true) =>
        Parse(text, new FilePlace(path, texts, limits, parents, hasAgents));

    internal static WorkflowDefinition Parse(string text, FilePlace place) =>
        Parse(text, place, FileKind.Workflow, (faults, root) => new WorkflowReader(faults, text, place).Read(root));

    /// <summary>Reads a text of any kind: its YAML, then what the reader of the kind makes of it. Throws where there is any fault.</summary>
    internal static T Parse<T>(string text, FilePlace place, FileKind kind, Func<FaultList, YamlNode, T?> read) where T : class
    {
        var faults = new FaultList(place.Path);
        if (text.Length > place.Limits.FileBytes)
            faults.Add(new Mark(1, 1), $"the text has {text.Length} characters; the limit WorkflowLimits.FileBytes is {place.Limits.FileBytes}");
        faults.ThrowIfAny();
        T? made = new YamlReader(faults, place.Limits, kind).Read(text) is { } root ? read(faults, root) : null;
        faults.ThrowIfAny();
        return made!;
    }

    private static WorkflowDefinition Read(string path, WorkflowLimits limits, bool hasAgents)
    {
        var texts = new WorkflowTexts();
        return Parse(texts.Load(path, limits), path, limits, texts, [], hasAgents);
    }

    internal static string Load(string path, WorkflowLimits limits)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
            byte[] bytes = new byte[limits.FileBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > limits.FileBytes)
                throw Fault(path, $"'{path}' has more than {limits.FileBytes} bytes; the limit is WorkflowLimits.FileBytes");
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.AsSpan(0, length)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw Fault(path, $"'{path}' is not UTF-8 text");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Fault(path, $"there is no file '{path}'");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fault(path, Directory.Exists(path) ? $"'{path}' is a folder, not a file" : $"'{path}' cannot be read: {e.Message}");
        }
    }

    private static WorkflowFileException Fault(string path, string message) => new([new WorkflowFault(path, 0, 0, message)]);
}
