namespace Millstream;

/// <summary>What a body tells about its job to whoever traces it: nothing of it is recorded, and nothing is told in a replay.</summary>
internal interface IJobTrace
{
    /// <summary>The agent's name, where it is another one than the agent's own.</summary>
    void Name(string name);

    /// <summary>Says something about the job.</summary>
    void Set(string attribute, object value);

    /// <summary>Adds to a sum over the job's run in this process.</summary>
    void Add(string attribute, long amount);
}

/// <summary>What a task, or a child job, is called in traces beside what the runtime says of it. Asked only where somebody listens.</summary>
internal interface IWorkTrace
{
    /// <summary>The name of its span: of few values.</summary>
    string SpanName { get; }

    /// <summary>What is known when it begins.</summary>
    /// <param name="withContent">Whether content may be in it: arguments, prompts.</param>
    IEnumerable<KeyValuePair<string, object?>> Begin(bool withContent);

    /// <summary>What it gave, as content that may be shown; null for nothing.</summary>
    KeyValuePair<string, object?>? Result(object? output);

    /// <summary>The type of the error that is given as a result; null where it is none.</summary>
    string? ErrorType(object? output);
}
