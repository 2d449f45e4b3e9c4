#!/usr/bin/env dotnet
#:project ../../src/Millstream/Millstream.csproj
// An agent that emits, asks, and runs a typed workflow. Run it with: dotnet run hello.cs [your name]
using Millstream;

await using AgentOrchestrator orchestrator = new();
await using Job<string, Said, Nothing> job = await orchestrator.CreateJobAsync(new Greeter(), args.FirstOrDefault() ?? "world");

await foreach (JobEvent e in job.EventsAsync())                          // every entry, from the first on
{
    Console.WriteLine($"{e.Seq,3}  {e.Kind,-18} {e.Task ?? (e.Value as Said)?.Text}");
    if (e is { Kind: JobEventKinds.QuestionAsked, Value: MayShout question })
    {
        Console.Write($"     {question.Text} [y/N] ");
        await job.AnswerAsync(e.Question!, Console.ReadLine()?.StartsWith('y') == true);   // no terminal: no answer, so no
    }
}

Console.WriteLine(await job.Completion);

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
