using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>The code of the kinds that need nothing but this library.</summary>
public static class BuiltInKinds
{
    /// <summary><c>http.get</c>, <c>file.read</c>, <c>file.write</c> and <c>template</c>. A host adds <c>sandbox.run</c>, since that needs sandboxes.</summary>
    public static IReadOnlyList<TaskKind> All { get; } =
    [
        Kind("http.get", static (with, _, context) => HttpGet.RunAsync(with, [.. with.Secrets("http.get", "secret_headers", context)], context.Time, context.CancellationToken)),
        Kind("file.read", static (with, use, context) => FileKinds.ReadAsync(with, context.CancellationToken, use.BaseFolder)),
        Kind("file.write", static (with, use, context) => FileKinds.WriteAsync(with, context.CancellationToken, use.BaseFolder)),
        Kind("template", static (with, use, context) => TemplateText.RunAsync(with, use.Folder, text => context.Delta(text, "text"), context.CancellationToken, (WorkflowTexts?)use.Texts)),
    ];

    private static TaskKind Kind(string name, Func<JsonElement, TaskKindUse, TaskContext, Task<JsonElement>> run) => new(name, use => AgentTask.Create<JsonElement, JsonElement>(use.TaskId, async (with, context) =>
    {
        if (ValueRanges.Fault(name, with) is { } fault)
            throw new TerminalTaskException(fault);
        return await KindFailureException.ToldAsync(() => run(with, use, context));
    }));
}
