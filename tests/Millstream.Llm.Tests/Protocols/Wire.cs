namespace Millstream.Llm.Tests.Protocols;

/// <summary>Pieces of each protocol, as servers write them.</summary>
internal static class Wire
{
    public static string Of(LlmProvider provider, string text, int input = 21, int output = 9) => Begin(provider, text) + End(provider, input, output);

    public static string Begin(LlmProvider provider, string text) => provider switch
    {
        LlmProvider.OpenAIResponses => Event("response.created", """{"type":"response.created","sequence_number":0,"response":{"id":"r1","object":"response","created_at":1,"status":"in_progress","model":"gpt-4o-mini","output":[],"tools":[],"parallel_tool_calls":true}}""")
            + Event("response.output_item.added", """{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"m1","type":"message","status":"in_progress","role":"assistant","content":[]}}""")
            + Event("response.output_text.delta", $$"""{"type":"response.output_text.delta","sequence_number":2,"item_id":"m1","output_index":0,"content_index":0,"delta":"{{text}}","logprobs":[]}"""),
        LlmProvider.Anthropic => Event("message_start", """{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","content":[],"model":"claude-sonnet-4-5","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":21,"output_tokens":1}}}""")
            + Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""")
            + Event("content_block_delta", $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{{text}}}"}}"""),
        LlmProvider.Ollama => $$"""{"model":"llama3.2","created_at":"2030-01-01T00:00:00Z","message":{"role":"assistant","content":"{{text}}"},"done":false}""" + "\n",
        _ => $"data: {Chunk($$"""{"role":"assistant","content":"{{text}}"}""", "null")}\n\n",
    };

    public static string End(LlmProvider provider, int input, int output) => provider switch
    {
        LlmProvider.OpenAIResponses => Event("response.completed", $$$"""{"type":"response.completed","sequence_number":3,"response":{"id":"r1","object":"response","created_at":1,"status":"completed","model":"gpt-4o-mini","output":[],"tools":[],"parallel_tool_calls":true,"usage":{"input_tokens":{{{input}}},"output_tokens":{{{output}}},"total_tokens":{{{input + output}}},"input_tokens_details":{"cached_tokens":0},"output_tokens_details":{"reasoning_tokens":0}} } }"""),
        LlmProvider.Anthropic => Event("content_block_stop", """{"type":"content_block_stop","index":0}""")
            + Event("message_delta", $$$"""{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":{{{input}}},"output_tokens":{{{output}}} } }""") + Event("message_stop", """{"type":"message_stop"}"""),
        LlmProvider.Ollama => $$"""{"model":"llama3.2","created_at":"2030-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":{{input}},"eval_count":{{output}}}""" + "\n",
        _ => $"data: {Chunk("{}", "\"stop\"")}\n\ndata: {$$$"""{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":{{{input}}},"completion_tokens":{{{output}}},"total_tokens":{{{input + output}}} } }"""}\n\ndata: [DONE]\n\n",
    };

    /// <summary>A piece that cannot be read.</summary>
    public static string Garbage(LlmProvider provider) => provider is LlmProvider.Ollama ? "{\"model\":\"llama3.2\",\"mess\n" : "event: content_block_delta\ndata: {\"id\":\"c1\",\"cho\n\n";

    private static string Event(string name, string data) => $"event: {name}\ndata: {data}\n\n";

    private static string Chunk(string delta, string reason) =>
        $$$"""{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{{{delta}}},"finish_reason":{{{reason}}}}]}""";
}
