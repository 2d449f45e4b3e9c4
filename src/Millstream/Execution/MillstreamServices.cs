using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Millstream;

/// <summary>Millstream in a host's services.</summary>
public static class MillstreamServices
{
    /// <summary>
    /// Adds one <see cref="AgentOrchestrator"/> for the process. It knows the agents of <see cref="AddAgent{TAgent}"/>, logs where the host logs, and gives tasks
    /// services of a scope of their own.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the options that were made of the services.</param>
    public static IServiceCollection AddMillstream(this IServiceCollection services, Func<OrchestratorOptions, OrchestratorOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton(provider =>
        {
            OrchestratorOptions options = new()
            {
                Services = provider,
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
}
