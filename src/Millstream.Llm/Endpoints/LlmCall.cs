using Microsoft.Extensions.AI;

namespace Millstream;

/// <summary>One call of a model, from its key to its reply.</summary>
internal sealed class LlmCall(LlmResource resource, IReadOnlyList<ChatMessage> messages, ChatOptions options, TaskContext context, Action<ChatResponseUpdate>? onUpdate, CancellationToken interrupt)
{
    private readonly LlmEndpoint _endpoint = resource.Endpoint;
    private readonly List<ChatResponseUpdate> _updates = [];
    private readonly int _period = resource.Breaker.Period;

    public async Task<LlmReply> RunAsync(IChatClient? client, Cassette? cassette)
    {
        if (cassette is { IsReplay: true })
            return await ReplayAsync(cassette);
        LlmExchange exchange = new(KeyOf(), context.Time) { OnArrived = () => context.Lease.Arrived() };
        Reserve();
        CassetteRecording? recording = cassette?.Begin(_endpoint, messages, options, context.Time);
        bool isWhole = await StreamAsync(client!, exchange, recording);
        LlmReply reply = ReplyOf(isWhole, faults: null, isReplayed: false);
        recording?.End(reply);
        return reply;
    }

    private async Task<LlmReply> ReplayAsync(Cassette cassette)
    {
        context.Lease.Arrived();
        CassetteExchange exchange = cassette.Take(messages, options);
        bool isWhole = true;
        await foreach (ChatResponseUpdate update in cassette.PlayAsync(exchange, context.Time, context.CancellationToken))
        {
            if (interrupt.IsCancellationRequested)
            {
                isWhole = false;
                break;
            }
            Take(update);
        }
        return ReplyOf(isWhole && !exchange.Interrupted, exchange.ArgumentFaults, isReplayed: true);
    }

    // Who asked for the lease did not know the endpoint, which may be told a bound that nobody asked for.
    private void Reserve()
    {
        if (options.MaxOutputTokens is null && LlmClients.OutputBoundOf(_endpoint) is { } bound)
            context.Lease.SettleRate(LlmResource.Tokens, TokenEstimate.Of(messages, options) - TokenEstimate.DefaultOutput + bound);
    }

    private string? KeyOf()
    {
        if (_endpoint.ApiKey is not { } secret)
            return null;
        string key = context.Reveal(secret).Trim();
        return key.Length > 0 && key.All(c => c is > ' ' and < '\x7f') ? key
            : throw new TerminalTaskException($"{LlmFailures.Name(_endpoint)}: what is in {secret.Reference} is no key, since it holds spaces or characters that no header takes: put the key alone there");
    }

    /// <returns>Whether the answer is whole; else it was interrupted.</returns>
    private async Task<bool> StreamAsync(IChatClient client, LlmExchange exchange, CassetteRecording? recording)
    {
        using CallWatch watch = new(_endpoint, exchange, context.Time, context.CancellationToken, interrupt);
        LlmExchange.Current = exchange;
        IAsyncEnumerator<ChatResponseUpdate>? answer = null;
        try
        {
            while (true)
            {
                try
                {
                    answer ??= client.GetStreamingResponseAsync(messages, options, watch.Token).GetAsyncEnumerator(watch.Token);
                    if (!await answer.MoveNextAsync())
                        break;
                }
                catch (Exception e) when (e is not (TerminalTaskException or RetryableTaskException or MillstreamException))
                {
                    return Broke(e, exchange, watch);
                }
                if (_updates.Count == 0)
                    context.Lease.Arrived();
                watch.Came();
                if (answer.Current.Contents.OfType<ErrorContent>().FirstOrDefault(e => e.ErrorCode != "Refusal") is { } error)
                    throw Failed(LlmFailures.Of(_endpoint, error, exchange), exchange);
                recording?.Add(answer.Current);
                Take(answer.Current);
            }
        }
        finally
        {
            LlmExchange.Current = null;
            await CloseAsync(answer);
        }
        // Some clients end quietly when they are told to stop.
        if (watch.Token.IsCancellationRequested && _updates.All(u => u.FinishReason is null))
            return Broke(new OperationCanceledException(), exchange, watch);
        // A connection that is cut in the right place looks like an end.
        if (exchange.Status is not null && _updates.All(u => u.FinishReason is null))
            throw Failed(new LlmFailure(LlmFailureKind.Broken, $"{LlmFailures.Name(_endpoint)} {(_updates.Count == 0 ? $"sent nothing that is an answer of its protocol; check its base url, {_endpoint.BaseUrl ?? "that of the provider"}" : "ended before its answer was complete")}"), exchange);
        Settle(exchange);
        resource.Breaker.Succeeded(_period);
        return true;
    }

    private bool Broke(Exception error, LlmExchange exchange, CallWatch watch)
    {
        // An interrupt also takes the task back, so it is looked at first: what was said until then is wanted.
        if (context.CancellationToken.IsCancellationRequested && !interrupt.IsCancellationRequested)
            throw new OperationCanceledException(context.CancellationToken);
        if (watch.Fault is { } fault)
            throw Failed(new LlmFailure(LlmFailureKind.Broken, $"{LlmFailures.Name(_endpoint)} {fault}"), exchange);
        if (!interrupt.IsCancellationRequested)
            throw Failed(LlmFailures.Of(_endpoint, error, exchange), exchange);
        Settle(exchange);
        return false;
    }

    private static async ValueTask CloseAsync(IAsyncDisposable? answer)
    {
        try
        {
            if (answer is not null)
                await answer.DisposeAsync();
        }
        catch (Exception)
        {
            // What it says was said by the call already.
        }
    }

    private void Take(ChatResponseUpdate update)
    {
        _updates.Add(update);
        onUpdate?.Invoke(update);
    }

    private void Settle(LlmExchange exchange)
    {
        if (exchange.Headers is { } headers)
            resource.Learn(headers);
        // Without a count the estimate stays.
        if (UsageOf() is { } usage)
            context.Lease.SettleRate(LlmResource.Tokens, (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0));
    }

    private UsageDetails? UsageOf()
    {
        UsageDetails? sum = null;
        foreach (UsageContent usage in _updates.SelectMany(u => u.Contents).OfType<UsageContent>())
            (sum ??= new UsageDetails()).Add(usage.Details);
        return sum is { InputTokenCount: null, OutputTokenCount: null } ? null : sum;
    }

    private Exception Failed(LlmFailure failure, LlmExchange exchange)
    {
        if (exchange.Headers is { } headers)
            resource.Learn(headers);
        DateTimeOffset now = context.Time.GetUtcNow();
        switch (failure.Kind)
        {
            case LlmFailureKind.Busy:
                context.Lease.SettleRate(LlmResource.Tokens, 0);
                DateTimeOffset free = resource.Breaker.Busy(_period, now, exchange.Headers?.RetryAfter, failure.Message);
                return new ResourceBusyException($"{failure.Message}; it is left alone until {free:yyyy-MM-ddTHH:mm:ssZ}");
            case LlmFailureKind.Broken:
                DateTimeOffset? closed = resource.Breaker.Failed(_period, now, failure.Message);
                return new RetryableTaskException(closed is { } until ? $"{failure.Message}; it is left alone until {until:yyyy-MM-ddTHH:mm:ssZ}" : failure.Message);
            default:
                if (exchange.Status is not null)
                    resource.Breaker.Succeeded(_period);
                return new TerminalTaskException(failure.Message);
        }
    }

    private LlmReply ReplyOf(bool isWhole, IReadOnlyDictionary<string, string>? faults, bool isReplayed)
    {
        ChatResponse response = _updates.ToChatResponse();
        Dictionary<string, string> unreadable = new(StringComparer.Ordinal);
        foreach ((string id, string why) in faults ?? unreadable)
            unreadable[id] = why;
        List<ChatMessage> kept = [];
        foreach (ChatMessage message in response.Messages)
        {
            foreach (FunctionCallContent call in message.Contents.OfType<FunctionCallContent>().Where(c => c.Exception is not null))
                unreadable[call.CallId] = (call.Exception!.InnerException ?? call.Exception).Message;
            if (ReplyContents.Clean(message, isWhole))
                kept.Add(message);
        }
        UsageDetails usage = response.Usage ?? new UsageDetails();
        string model = string.IsNullOrEmpty(response.ModelId) ? _endpoint.Model : response.ModelId;
        bool isCounted = usage.InputTokenCount is not null || usage.OutputTokenCount is not null;
        return new LlmReply
        {
            Messages = kept,
            Usage = usage,
            Cost = isCounted ? resource.PriceOf(model)?.CostOf(usage) : null,
            Model = model,
            Endpoint = _endpoint.Id,
            FinishReason = isWhole ? response.FinishReason?.Value ?? (kept.Any(m => m.Contents.Any(c => c is FunctionCallContent)) ? "tool_calls" : "stop") : LlmReply.Interrupted,
            Replayed = isReplayed,
            ArgumentFaults = unreadable,
        };
    }
}
