using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

public sealed class FaultTests
{
    [Fact]
    public void Parse_ManyFaults_TellsAllWithPlaces()
    {
        string[] faults = Faults("""
            nme: x
            tasks:
              list:
                uses: sandbox.rum
                timeout: soon
              b:
                uses: file.read
                with: { pth: "${{ tasks.lst.output }}" }
                retry: { atempts: 3 }
              my-task: { uses: template, with: { text: "{% for %}" } }
            output: ${{ tasks.b.output.lins }}
            """);
        Assert.Equal(
        [
            "1:1: the workflow has no key 'nme'; did you mean 'name'?",
            "1:1: 'name' is missing: a name for the workflow",
            "4:11: there is no task kind 'sandbox.rum'; did you mean 'sandbox.run'?",
            "5:14: the task 'list'.timeout must be a duration such as 500ms, 30s, 5m or 1h30m, this is the text 'soon'",
            "8:11: the task 'b'.with needs 'path' (string)",
            "8:13: the task 'b'.with has no 'pth'; did you mean 'path'?",
            "8:29: there is no task 'lst'; did you mean 'list'?",
            "9:14: the task 'b'.retry has no key 'atempts'; did you mean 'attempts'?",
            "10:3: the task 'my-task' must be letters, digits and '_', not begin with a digit, and have at most 64 characters ('-' is a subtraction in expressions)",
            "11:28: there is no 'lins'; did you mean 'lines'?",
        ], faults.Where(f => !f.Contains("template cannot be read")));
        Assert.Contains(faults, f => f.StartsWith("10:51: the task 'my-task': the template cannot be read"));
    }

    [Theory]
    [InlineData("a: { uses: file.read, with: { path: \"${{ tasks.b.output.text }}\" } }\nb: { uses: file.read, with: { path: x }, needs: [a] }", "7:3: the tasks wait for each other: a -> b -> a")]
    [InlineData("a: { uses: file.read, with: { path: \"${{ tasks.a.output.text }}\" } }", "7:3: the tasks wait for each other: a -> a")]
    [InlineData("a: { uses: file.read, with: { path: \"${{ tasks.list.output.lines }}\" } }", "the task 'a'.with.path wants string; tasks.list.output.lines is array<string>")]
    [InlineData("a: { uses: file.read, with: { path: \"${{ input.n }}\" } }", "write to_string(input.n)")]
    [InlineData("a: { uses: file.read, with: { path: \"x${{ tasks.list.output.lines }}\" } }", "cannot stand in text")]
    [InlineData("a: { uses: sandbox.run, with: { command: ls } }", "the task 'a'.with.command: array<string> is wanted, this is string")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], mounts: [{ host: a, path: /in, acess: read }] } }", "has no 'acess'; did you mean 'access'?")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], mounts: [{ host: a, path: /in, access: raed }] } }", "'raed' is not allowed; did you mean 'read'?")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], limits: { memory: 5 apples } } }", "'5 apples' is not a size")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], allowed_exit_codes: [one] } }", "integer is wanted, this is string")]
    [InlineData("a: { uses: file.read, with: { path: x }, for_each: \"${{ input.path }}\" }", "for_each wants a list; input.path is string")]
    [InlineData("a: { uses: file.read, with: { path: x }, for_each: [a, b] }", "for_each must be one expression")]
    [InlineData("a: { uses: file.read, with: { path: \"${{ item }}\" } }", "'item' exists only in a task with for_each")]
    [InlineData("a: { uses: file.read, with: { path: \"${{ item }}\" }, for_each: \"${{ tasks.list.output.lines }}\", batch: 10 }", "path wants string; item is array<string>")]
    [InlineData("a: { uses: file.read, with: { path: x }, at_most_once: true, retry: { attempts: 2 } }", "has 'at_most_once' and retry.attempts 2; a task that must not be repeated has one attempt")]
    [InlineData("a: { uses: file.read, with: { path: x }, batch: 10 }", "has 'batch' without 'for_each'")]
    [InlineData("a: { uses: file.read, with: { path: x }, if: \"${{ input.n }}\" }", "if wants boolean; input.n is integer")]
    [InlineData("a: { uses: file.read, with: { path: x }, needs: [lst] }", "needs 'lst', which is none; did you mean 'list'?")]
    [InlineData("a: { uses: file.read, with: { path: x }, requires: [{ type: gpu, labels: \"mem >\" }] }", "requires[0].labels")]
    [InlineData("a: { uses: file.read, with: { path: x }, retry: { attempts: 0 } }", "attempts must be a whole number of at least 1, this is 0")]
    [InlineData("a: { uses: sandbox.run, with: { command: [env], env: { \"${{ input.path }}\": x } } }", "cannot hold an expression; only values can")]
    [InlineData("a: { uses: file.read, with: { path: x }, if: input.n > 3 }", "boolean is wanted, this is string; an expression is written ${{ input.n > 3 }}")]
    [InlineData("a: { uses: sandbox.run, with: { command: [] } }", "command is empty; its first item is the program")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], mounts: [{ host: a, path: in }] } }", "the path 'in' must begin with '/'")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], limits: { processes: 0 } } }", "the task 'a'.with.limits.processes is 0; give 2 to 1048576; one is the sandbox's own")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], limits: { memory: 1KiB } } }", "7:68: the task 'a'.with.limits.memory is 1KiB; give at least 4 MiB (4194304); less cannot start a program")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], limits: { time: 41d, memory: \"${{ input.path }}\" } } }", "7:66: the task 'a'.with.limits.time is 41d; give more than 0 and at most 40 days")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], allowed_exit_codes: [0, 256] } }", "7:74: the task 'a'.with.allowed_exit_codes is 256; give exit codes from 0 to 255")]
    [InlineData("a: { uses: http.get, with: { url: http://h, max_redirects: -1 } }", "the task 'a'.with.max_redirects is -1; give 0 to 100")]
    [InlineData("a: { uses: http.get, with: { url: http://h, max_bytes: 2GiB } }", "the task 'a'.with.max_bytes is 2GiB; give 1 byte to 1GiB")]
    [InlineData("a: { uses: file.read, with: { path: x, max_bytes: 0 } }", "the task 'a'.with.max_bytes is 0; give 1 byte to 1GiB")]
    [InlineData("a: { uses: sandbox.run, with: { command: [ls], secrets: { KEY: hush } } }", "7:66: the task 'a'.with.secrets.KEY: a secret is given as a reference, env:NAME or file:/path (absolute), and not as its value, which would be stored; these 4 characters are no reference")]
    [InlineData("a: { uses: http.get, with: { url: http://h, secret_headers: { Authorization: file:key } } }", "the task 'a'.with.secret_headers.Authorization: a secret is given as a reference")]
    [InlineData("a: { uses: http.get, with: { url: nonsense } }", "7:37: the task 'a'.with.url: 'nonsense' is no http or https address")]
    [InlineData("a: { uses: template, with: { text: x, file: y } }", "7:30: the task 'a'.with needs either 'text' or 'file', the template, not both")]
    [InlineData("a: { uses: template, with: { text: \"a {% for x %}\" } }", "7:47: the task 'a': the template cannot be read: Invalid 'for' tag")]
    [InlineData("a:\n    uses: template\n    with:\n      text: |\n        one\n          {% for x in %}", "12:19: the task 'a': the template cannot be read: Invalid 'for' tag")]
    [InlineData("a: { uses: file.read, with: { path: x }, timeout: 0s }", "7:53: the task 'a'.timeout must be a duration from 1ms to 366d, this is the text '0s'")]
    [InlineData("a: { uses: file.read, with: { path: x }, timeout: 400d }", "must be a duration from 1ms to 366d, this is the text '400d'")]
    [InlineData("a: { uses: file.read, with: { path: x }, timeout: 12345678901s }", "must be a duration from 1ms to 366d, this is the text '12345678901s'")]
    [InlineData("a: { uses: file.read, with: { path: x }, expected_time: soon }", "7:59: the task 'a'.expected_time must be a duration such as 500ms, 30s, 5m or 1h30m, this is the text 'soon'")]
    [InlineData("a: { uses: http.get, with: { url: x, timeout: 400d } }", "'400d' must be a duration from 1ms to 366d")]
    [InlineData("a: { with: { path: x } }", "needs 'uses', its kind")]
    [InlineData("a: { uses: workflow, with: { file: none.yaml } }", "there is no file 'none.yaml'")]
    [InlineData("a: { uses: template, with: { values: { x: 1 } } }", "needs either 'text' or 'file'")]
    [InlineData("list: { uses: file.read, with: { path: x } }", "the key 'list' stands here a second time; first in line 6")]
    public void Parse_WrongTask_SaysWhatAndWhere(string task, string message) =>
        Assert.Contains(Faults(Around(task)), f => f.Contains(message));

    [Theory]
    [InlineData("name: x\ninput: { x: string }\ntasks:\n  a: { uses: template, with: { text: \"${{ input.x }}\" } }\n", "2:13: the input 'x' must be a mapping, this is the text 'string'")]
    [InlineData("name: x\ntasks:\n  a: { uses: sandbox.run, with: { command: [ls, \"${{ input\"] } }\n", "3:49: '${{' has no '}}'")]
    [InlineData("name: x\ntasks:\n  a: { uses: template, with: { text: \"{% for x in %}\", file: nope.liquid } }\n", "3:30: the task 'a'.with needs either 'text' or 'file', the template, not both")]
    public void Parse_OneFault_IsToldOnceAndAlone(string text, string fault) => Assert.Equal([fault], Faults(text));

    [Fact]
    public void Parse_TemplateFileThatIsNone_NamesItsLine()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "r.liquid"), "one\n{{ two }}\n{% for x in %}\n");
            File.WriteAllText(Path.Combine(folder, "w.yaml"), "name: x\ntasks: { a: { uses: template, with: { file: r.liquid } } }\n");
            WorkflowFileException e = Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(Path.Combine(folder, "w.yaml")));
            Assert.Equal($"{folder}/r.liquid:3:7: the task 'a': the template cannot be read: Invalid 'for' tag", e.Message);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Theory]
    [InlineData("${{ input.n == 3 }}", "a number stands in back-ticks: `3`")]
    [InlineData("${{ input.path == \"y\" }}", "a text stands in single quotes: 'y'")]
    [InlineData("${{ input.path == input.n }}", "never equal")]
    [InlineData("${{ tasks.list.output.stdout - `1` }}", "'-' calculates with numbers; this is a string")]
    [InlineData("${{ tasks.list.output.lines.x }}", "a list has no 'x'; '[].x' takes it of each item")]
    [InlineData("${{ input.path.x }}", "a string has no 'x'")]
    [InlineData("${{ input.path[0] }}", "an index wants a list")]
    [InlineData("${{ lenght(input.path) }}", "there is no function 'lenght'; did you mean 'length'?")]
    [InlineData("${{ join(input.path) }}", "join takes (string, array<string>); here are 1 values")]
    [InlineData("${{ sum(tasks.list.output.lines) }}", "sum wants array<number> here; this is array<string>")]
    [InlineData("${{ tasks }}", "this stands for everything; name one value: tasks.list, tasks.echo")]
    [InlineData("${{ tasks.*.output }}", "this stands for everything")]
    [InlineData("${{ @ }}", "this stands for everything; name one value: input, tasks")]
    [InlineData("${{ $ }}", "'$' and 'let' are not allowed")]
    [InlineData("${{ input.n = `3` }}", "'=' compares as '=='")]
    [InlineData("${{ input.n == `x` }}", "`x` is not JSON; a text stands in single quotes: 'x'")]
    [InlineData("${{ input.n == true }}", "'true' is a field here; the value stands in back-ticks: `true`")]
    [InlineData("${{ input.n + `1` == `4` }}", "compare with >= and <=")]
    [InlineData("${{ input. }}", "the expression ends too early")]
    [InlineData("${{ input['path'] }}", "a field is written .\"path\"")]
    [InlineData("${{ (input.n }}", "the expression ends where ')' is missing")]
    [InlineData("${{ input.path", "'${{' has no '}}'")]
    [InlineData("${{ }}", "the expression is empty")]
    public void Parse_WrongExpression_SaysWhatToWrite(string expression, string message) =>
        Assert.Contains(Faults(Echo(expression)), f => f.Contains(message));

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("- a\n- b", "the workflow must be a mapping, this is a list")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: ${{ input.x }} } } }", "needs quotes")]
    [InlineData("name: t\ntasks: { a: !!python/object { x: 1 } }", "the tag")]
    [InlineData("name: t\ntasks: { a: { uses: file.read, with: { path: *x } } }", "the alias '*x' stands for nothing")]
    [InlineData("name: t\ntasks:\n\ta: 1", "3:1: this is not YAML: while scanning")]
    [InlineData("name: t\ntasks: [a, b\nc: 1\n", "this is not YAML from here on")]
    [InlineData("name: t\ntasks: {}", "'tasks' is empty")]
    [InlineData("name: t\n---\nname: u", "a second document begins here")]
    [InlineData("name: a b\ntasks: { a: { uses: file.read, with: { path: x } } }", "'name' 'a b' must be 1 to 64 letters")]
    [InlineData("name: t\ninput: { p: { type: strng } }\ntasks: { a: { uses: file.read, with: { path: x } } }", "has the type 'strng', which is none; did you mean 'string'?")]
    [InlineData("name: t\ninput: { p: { type: integer, default: x } }\ntasks: { a: { uses: file.read, with: { path: x } } }", "the input 'p'.default: integer is wanted, this is string")]
    [InlineData("name: t\nresources: { sandbox: -1 }\ntasks: { a: { uses: file.read, with: { path: x } } }", "the resource 'sandbox' must be a whole number of at least 1, this is -1")]
    [InlineData("kind: agent\nname: t\ntasks: { a: { uses: file.read, with: { path: x } } }", "'kind' is 'agent'")]
    public void Parse_WrongFile_SaysWhat(string text, string message) => Assert.Contains(Faults(text), f => f.Contains(message));

    [Fact]
    public void Parse_AliasBomb_IsRefusedEarly()
    {
        string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
            $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains(Faults(bomb), f => f.Contains("more than 100,000 values") || f.Contains("more than 100000 values"));
    }

    [Fact]
    public void Parse_OverLimits_NamesTheLimit()
    {
        Assert.Contains("WorkflowLimits.Depth", Assert.Single(Faults("a: " + new string('[', 5000) + new string(']', 5000))));
        Assert.Contains("WorkflowLimits.Aliases", Assert.Single(Faults("a: &a x\nb: [" + string.Join(", ", Enumerable.Repeat("*a", 101)) + "]")));
        Assert.Contains("WorkflowLimits.FileBytes", Assert.Single(Faults(new string('#', 1024 * 1024 + 1))));
        Assert.Contains(Faults(Echo("${{ " + new string('!', 2000) + "input.n }}")), f => f.Contains("at most 1024 are allowed"));
    }
}
