namespace Millstream.Testing.Tests;

internal sealed record Said(string Text);                                         // an event

internal sealed record MayShout(string Text) : Question<bool>;                    // a question carries its reply's type

internal sealed class Greeter : Agent<string, string, Said>
{
    private static readonly AgentTask<string, string> Translate = AgentTask.Create<string, string>("translate",
        (language, _) => Task.FromResult(language switch { "en" => "Hello", "de" => "Hallo", "fr" => "Salut", _ => throw new TerminalTaskException($"no {language}") }));

    private static readonly Workflow<string[], string> Greetings = Workflow.Define<string[], string>("greetings", "1", w =>
    {
        Node<Outcome<string>[]> words = w.TryForEach("word", Translate, w.Input);   // fan-out; a failed one keeps its place
        return words.Select(all => string.Join(", ", all.Where(o => o.Ok).Select(o => o.Value)));
    });

    protected override async Task<string> RunCoreAsync(string name, AgentContext<Said> context)
    {
        context.Emit(new Said($"greeting {name}"));
        bool loud = await context.AskAsync(new MayShout($"May I shout, {name}?"));  // may wait for days
        string words = await context.RunAsync(Greetings, ["en", "de", "fr", "xx"]); // a child job
        context.Emit(new Said("done"));
        return loud ? $"{words}, {name.ToUpperInvariant()}!" : $"{words}, {name}.";
    }
}
