using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>Millstream in a host's services.</summary>
public static class MillstreamServices
{
    /// <summary>
    /// Adds one <see cref="AgentOrchestrator"/> for the process, which starts and stops with its host. It knows the agents of <see cref="AddAgent{TAgent}"/>, keeps jobs in the
    /// <see cref="IJournalStorage"/> of the services where there is one, logs where the host logs, and gives tasks services of a scope of their own.
    /// </summary>
    /// <remarks>
    /// When the host starts, the open jobs that no living process has are taken up (<see cref="AgentOrchestrator.StartAsync"/>). When it stops, jobs are left where they are for
    /// the next start, and nothing is cancelled. Without a host, call <see cref="AgentOrchestrator.StartAsync"/>.
    /// </remarks>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the options that were made of the services.</param>
    public static IServiceCollection AddMillstream(this IServiceCollection services, Func<OrchestratorOptions, OrchestratorOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddHostedService<HostedOrchestrator>().AddSingleton(provider =>
        {
            OrchestratorOptions options = new()
            {
                Services = provider,
                Journal = provider.GetService<IJournalStorage>(),
                Logging = provider.GetService<ILoggerFactory>(),
                Time = provider.GetService<TimeProvider>() ?? TimeProvider.System,
            };
            foreach (Agent agent in provider.GetServices<Agent>())
                options.Agents.Add(agent);
            return new AgentOrchestrator(configure is null ? options : configure(options));
        });
    }

    /// <summary>Adds an agent to the registry of the orchestrator: one instance, made with its constructor's services, serves all jobs.</summary>
    public static IServiceCollection AddAgent<TAgent>(this IServiceCollection services) where TAgent : Agent
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<TAgent>().AddSingleton<Agent>(static provider => provider.GetRequiredService<TAgent>());
    }

    private sealed class HostedOrchestrator(AgentOrchestrator orchestrator) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => orchestrator.StartAsync(cancellationToken);

        // The container disposes it once more, which waits for the same end.
        public Task StopAsync(CancellationToken cancellationToken) => orchestrator.DisposeAsync().AsTask().WaitAsync(cancellationToken);
    }
}
