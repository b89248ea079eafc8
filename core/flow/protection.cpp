#include "core/flow/protection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/proxy.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/traffic.hpp"

namespace alca::flow {

NetworkPolicy policy_of(const config::Config& config) {
    return config.network.open ? NetworkPolicy::open : NetworkPolicy::internet;
}

NetworkPolicy policy_of(const project::FirewallState& firewall) {
    return firewall.policy == to_string(NetworkPolicy::open) ? NetworkPolicy::open
                                                             : NetworkPolicy::internet;
}

Result<Protection> find_protection(const Context& context, const config::Config& config) {
    Protection protection;
    protection.policy = policy_of(config);
    const auto engine = context.runtime.runtime.probe(context.call);
    if (!engine) return fail(engine.error());
    if (!engine->available) return fail(Code::unavailable, engine->reason);

    protection.engine = engine->engine;
    if (protection.policy == NetworkPolicy::internet) {
        auto access = lan_access(context, config);
        if (!access) return fail(access.error());
        protection.access = std::move(*access);
        for (const project::ResolvedName& name : protection.access.names) {
            context.ui.step(
                fmt::format("lan-access {}: {}", name.name, fmt::join(name.addresses, ", ")));
        }
    }

    protection.proxy = config.network.proxy;
    protection.limits = config.network.limits;
    if (protection.proxy) {
        context.ui.step(fmt::format("All TCP connections go through the proxy {}",
                                    config::proxy_text(*protection.proxy)));
    }

    std::string missing;
    if (!engine->shares_kernel || engine->rootless) {
        missing = fmt::format("{} routes in a network that the rules of this machine do not see",
                              engine->rootless ? "the rootless engine" : "the engine's machine");
    } else if (context.firewall == nullptr) {
        missing = "no firewall plugin is installed; see: alca plugins list";
    } else {
        const auto probe = context.firewall->firewall.probe(context.call);
        if (!probe) return fail(probe.error());
        protection.rules = probe->available;
        protection.layer = probe->layer;
        missing = probe->reason;
        // A plugin that gives no reason is not there all the same.
        if (!probe->available && missing.empty()) {
            missing = fmt::format("the firewall plugin {} is not available", context.firewall->id);
        }
    }
    // Without blocking, proxy and limits there is nothing that rules must hold, and so no right
    // that is needed for them.
    const bool needs_rules = protection.policy != NetworkPolicy::open || is_restricted(config);
    if (!protection.rules && needs_rules) {
        protection.missing = std::move(missing);
    }
    return protection;
}

project::FirewallState firewall_state(const Context& context, const Protection& protection) {
    return {.plugin = context.firewall->id,
            .policy = std::string(to_string(protection.policy)),
            .dns = context.host.resolvers,
            .allow = protection.access.allow,
            .names = protection.access.names,
            .proxy = protection.proxy,
            .limits = protection.limits};
}

Result<void> put_up_rules(const Context& context, const project::State& state) {
    const FirewallRequest request = make_firewall_request(state);
    if (auto applied = context.firewall->firewall.apply(context.call, request); !applied) {
        return fail(applied.error(), "network rules");
    }
    const auto problem = look_at_rules(context, state);
    if (!problem) return fail(problem.error());
    if (!problem->empty()) {
        return fail(fmt::format("network rules were put up but the kernel does not hold them: {}",
                                *problem));
    }
    return {};
}

Result<std::string> look_at_rules(const Context& context, const project::State& state) {
    const auto verdict =
        context.firewall->firewall.verify(context.call, make_firewall_request(state));
    if (!verdict) return fail(verdict.error(), "network rules");
    if (verdict->intact) return std::string();
    return verdict->problem.empty() ? std::string("not intact") : verdict->problem;
}

Result<void> keep_rules(const Context& context, const project::State& state) {
    const auto problem = look_at_rules(context, state);
    if (!problem) return fail(problem.error());
    if (problem->empty()) return {};
    if (auto restored = put_up_rules(context, state); !restored) return restored;
    context.ui.warn(
        fmt::format("network rules were not as they must be and have been restored: {}", *problem));
    return {};
}

Result<void> take_down_rules(const Context& context, const Call& call,
                             const project::State& state) {
    if (state.firewall.plugin.empty()) return {};
    if (context.firewall == nullptr) {
        context.ui.warn(
            fmt::format("the firewall plugin {} is not installed any more; its rules "
                        "for {} stay until the machine restarts",
                        state.firewall.plugin, state.network.interface));
        return {};
    }
    const auto removed = context.firewall->firewall.remove(call, make_firewall_request(state));
    if (!removed) return fail(removed.error(), "network rules");
    return {};
}

void note_unprotected(project::State& state, const std::string& reason) {
    state.allow_unprotected = true;
    if (state.unprotected_reason.find(reason) != std::string::npos) return;
    if (!state.unprotected_reason.empty()) state.unprotected_reason += "; ";
    state.unprotected_reason += reason;
}

Result<void> judge(const Context& context, const std::vector<std::string>& problems,
                   bool allow_unprotected, project::State& state) {
    if (problems.empty()) return {};
    const std::string text = fmt::format("{}", fmt::join(problems, "; "));
    if (!allow_unprotected) {
        return fail(Code::failed,
                    fmt::format("the sandbox is not isolated as it must be: {}", text));
    }
    context.ui.warn(fmt::format("UNPROTECTED: {}", text));
    note_unprotected(state, text);
    return {};
}

}  // namespace alca::flow
