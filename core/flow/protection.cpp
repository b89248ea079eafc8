#include "core/flow/protection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

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

Result<Protection> find_protection(const Context& context, const config::Config& config,
                                   const project::EngineState& engine) {
    Protection protection;
    protection.policy = policy_of(config);
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
    auto ways = find_ways(context.firewall, context.host, context.call, engine);
    if (!ways) return fail(ways.error());
    protection.ways = std::move(*ways);
    const bool is_open = protection.policy == NetworkPolicy::open;
    if (is_open) protection.ways.inside.reset();
    // Without blocking, proxy and limits there is nothing that rules must hold, and so no right
    // that is needed for them.
    const bool needs_rules = !is_open || is_restricted(config);
    if (!protection.has_rules() && needs_rules) {
        protection.missing = protection.ways.missing.empty()
                                 ? std::string("the layer of the host cannot be reached")
                                 : protection.ways.missing;
    }
    // Those inside know neither, and whoever has NET_ADMIN there can take them away.
    const bool could_change_inside =
        std::find(config.caps.begin(), config.caps.end(), "NET_ADMIN") != config.caps.end();
    const bool needs_host =
        is_restricted(config) || config.network.strict || (could_change_inside && !is_open);
    if (needs_host && protection.missing.empty() && !protection.ways.host) {
        return fail(
            Code::unavailable,
            "network.proxy, network.limits, network.strict and the capability NET_ADMIN need the "
            "layer of the host, which cannot be reached here; take them out of .alca.toml, or see: "
            "alca doctor");
    }
    if (is_restricted(config) && protection.has_rules() && !protection.ways.traffic) {
        return fail(
            Code::unavailable,
            fmt::format("the firewall plugin {} knows neither network.proxy nor "
                        "network.limits; take them out of .alca.toml, or install the plugin "
                        "firewall-nft",
                        context.firewall->id));
    }
    if (protection.proxy && protection.has_rules()) {
        context.ui.step(fmt::format("All TCP connections go through the proxy {}",
                                    config::proxy_text(*protection.proxy)));
    }
    protection.strict = config.network.strict && protection.has_rules();
    if (protection.strict && !protection.ways.strict) {
        return fail(Code::unavailable,
                    fmt::format("the firewall plugin {} cannot do network.strict; take it out of "
                                ".alca.toml, or install the plugin firewall-nft",
                                context.firewall->id));
    }
    return protection;
}

project::FirewallState firewall_state(const Context& context, const Protection& protection,
                                      const project::FirewallState& before,
                                      const std::vector<Port>& ports) {
    const bool is_internet = protection.policy == NetworkPolicy::internet;
    const bool has_host = !before.plugin.empty() && before.host;
    const bool has_inside = !before.plugin.empty() && before.inside && is_internet;
    project::FirewallState state{.plugin = context.firewall->id,
                                 .policy = std::string(to_string(protection.policy)),
                                 .dns = context.host.resolvers,
                                 .allow = protection.access.allow,
                                 .names = protection.access.names,
                                 .strict = protection.strict,
                                 .proxy = protection.proxy,
                                 .limits = protection.limits,
                                 .here = protection.ways.here,
                                 .host = has_host || protection.ways.host,
                                 .inside = has_inside || protection.ways.inside};
    for (const Port& port : ports) {
        const bool local = port.host_ip.starts_with("127.") || port.host_ip == "::1";
        state.published.push_back(
            {.protocol = port.protocol, .port = port.container_port, .local = local});
    }
    std::sort(state.published.begin(), state.published.end(), [](const auto& a, const auto& b) {
        return std::tie(a.port, a.protocol, a.local) < std::tie(b.port, b.protocol, b.local);
    });
    return state;
}

namespace {

std::string_view name_of(FirewallLayer layer) {
    return layer == FirewallLayer::host ? "network rules" : "network rules inside the sandbox";
}

LayerPlace place_of(const project::State& state, FirewallLayer layer) {
    return {.layer = layer, .here = state.firewall.here, .sandbox = make_ref(state)};
}

Result<std::string> problem_now(Firewall& firewall, const Call& call,
                                const FirewallRequest& request) {
    const auto verdict = firewall.verify(call, request);
    if (!verdict) return fail(verdict.error());
    if (verdict->intact) return std::string();
    return verdict->problem.empty() ? std::string("not intact") : verdict->problem;
}

Result<void> apply_and_check(Firewall& firewall, const Call& call, const FirewallRequest& request) {
    if (auto applied = firewall.apply(call, request); !applied) return applied;
    const auto problem = problem_now(firewall, call, request);
    if (!problem) return fail(problem.error());
    if (problem->empty()) return {};
    return fail(fmt::format("they were put up but the kernel does not hold them: {}", *problem));
}

std::vector<FirewallLayer> layers_in_force(const project::State& state) {
    std::vector<FirewallLayer> layers;
    if (state.firewall.host) layers.push_back(FirewallLayer::host);
    if (state.firewall.inside) layers.push_back(FirewallLayer::inside);
    return layers;
}

void add(FirewallReport& sum, FirewallReport part) {
    for (const auto& [reason, packets] : part.refused) sum.refused[reason] += packets;
    for (BlockedTarget& target : part.blocked) {
        const auto same =
            std::find_if(sum.blocked.begin(), sum.blocked.end(), [&](const BlockedTarget& other) {
                return std::tie(other.address, other.protocol, other.port) ==
                       std::tie(target.address, target.protocol, target.port);
            });
        if (same == sum.blocked.end()) {
            sum.blocked.push_back(std::move(target));
        } else {
            same->packets += target.packets;
        }
    }
}

}  // namespace

Result<void> put_up_rules(const Context& context, const project::State& state, FirewallLayer layer,
                          std::int64_t pid) {
    const FirewallRequest request = make_firewall_request(state, layer, pid);
    const auto way = on_layer(
        context, context.call, place_of(state, layer),
        [&](Firewall& firewall) { return apply_and_check(firewall, context.call, request); });
    if (!way) return fail(way.error(), name_of(layer));
    return {};
}

namespace {

Result<std::string> look_at(const Context& context, const project::State& state,
                            const LayerPlace& place, std::int64_t pid) {
    const FirewallRequest request = make_firewall_request(state, place.layer, pid);
    std::string problem;
    const auto way =
        on_layer(context, context.call, place, [&](Firewall& firewall) -> Result<void> {
            auto found = problem_now(firewall, context.call, request);
            if (!found) return fail(found.error());
            problem = std::move(*found);
            return {};
        });
    if (!way) return fail(way.error(), name_of(place.layer));
    return problem;
}

}  // namespace

bool is_hosts_alone(const project::FirewallState& firewall) {
    return firewall.strict || firewall.proxy || firewall.limits != TrafficLimits{};
}

Result<std::string> look_before_run(const Context& context, const project::State& state) {
    const bool inside_is_tried = !refused_address(state).empty();
    if (state.firewall.inside && !inside_is_tried) {
        const auto status = context.runtime.runtime.status(context.call, make_ref(state));
        if (!status) return fail(status.error());
        auto problem = look_at(context, state, place_of(state, FirewallLayer::inside), status->pid);
        if (!problem || !problem->empty()) return problem;
    }
    if (!state.firewall.host) return std::string();
    LayerPlace place = place_of(state, FirewallLayer::host);
    place.may_start_container = !inside_is_tried || is_hosts_alone(state.firewall);
    auto problem = look_at(context, state, place, 0);
    if (problem || place.may_start_container || problem.error().code != Code::denied) {
        return problem;
    }
    return std::string();
}

Result<void> keep_rules(const Context& context, const project::State& state, std::int64_t pid) {
    for (const FirewallLayer layer : layers_in_force(state)) {
        const FirewallRequest request = make_firewall_request(state, layer, pid);
        std::string problem;
        const auto way = on_layer(context, context.call, place_of(state, layer),
                                  [&](Firewall& firewall) -> Result<void> {
                                      auto found = problem_now(firewall, context.call, request);
                                      if (!found) return fail(found.error());
                                      problem = std::move(*found);
                                      if (problem.empty()) return {};
                                      return apply_and_check(firewall, context.call, request);
                                  });
        if (!way) return fail(way.error(), name_of(layer));
        if (problem.empty()) continue;
        context.ui.warn(fmt::format("{} were not as they must be and have been restored: {}",
                                    name_of(layer), problem));
    }
    return {};
}

RulesReport look_at_rules(const Context& context, const project::State& state, std::int64_t pid) {
    RulesReport report;
    if (!state.firewall.settled) {
        report.problems.emplace_back("a change of the network rules was not finished");
    }
    for (const FirewallLayer layer : layers_in_force(state)) {
        const FirewallRequest request = make_firewall_request(state, layer, pid);
        LayerPlace place = place_of(state, layer);
        place.tells_helper = true;
        const auto way =
            on_layer(context, context.call, place, [&](Firewall& firewall) -> Result<void> {
                const auto problem = problem_now(firewall, context.call, request);
                if (!problem) return fail(problem.error());
                if (!problem->empty()) {
                    report.problems.push_back(fmt::format("{}: {}", name_of(layer), *problem));
                }
                auto refused = firewall.report(context.call, request);
                if (refused) {
                    add(report.refused, std::move(*refused));
                } else {
                    report.notes.push_back(fmt::format("what was refused could not be read: {}",
                                                       refused.error().message));
                }
                return {};
            });
        if (!way) {
            report.problems.push_back(
                fmt::format("{} could not be read: {}", name_of(layer), way.error().message));
            continue;
        }
        (layer == FirewallLayer::host ? report.host : report.inside) = *way;
    }
    return report;
}

Result<void> take_down_rules(const Context& context, const Call& call,
                             const project::State& state) {
    if (state.firewall.plugin.empty() || !state.firewall.host) return {};
    if (context.firewall == nullptr) {
        context.ui.warn(
            fmt::format("the firewall plugin {} is not installed any more; its rules "
                        "for {} stay until the machine restarts",
                        state.firewall.plugin, state.network.interface));
        return {};
    }
    const FirewallRequest request = make_firewall_request(state);
    const auto way = on_layer(context, call, place_of(state, FirewallLayer::host),
                              [&](Firewall& firewall) { return firewall.remove(call, request); });
    if (!way) return fail(way.error(), name_of(FirewallLayer::host));
    return {};
}

Result<void> take_down_inside(const Context& context, const project::State& state,
                              std::int64_t pid) {
    const FirewallRequest request = make_firewall_request(state, FirewallLayer::inside, pid);
    const auto way =
        on_layer(context, context.call, place_of(state, FirewallLayer::inside),
                 [&](Firewall& firewall) { return firewall.remove(context.call, request); });
    if (!way) return fail(way.error(), name_of(FirewallLayer::inside));
    return {};
}

std::string refused_address(const project::State& state) {
    if (!state.firewall.inside) return {};
    // The probe is one UDP datagram to this port.
    constexpr std::uint16_t kProbePort = 9;
    for (const std::string& gateway : state.network.gateways) {
        const bool allowed = std::any_of(
            state.firewall.allow.begin(), state.firewall.allow.end(), [&](const AllowRule& rule) {
                const bool here = rule.to == AllowRule::kHost || rule.to == gateway;
                const bool udp = rule.protocols.empty() ||
                                 std::find(rule.protocols.begin(), rule.protocols.end(), "udp") !=
                                     rule.protocols.end();
                const bool port =
                    rule.ports.empty() ||
                    std::any_of(rule.ports.begin(), rule.ports.end(), [](const PortRange& range) {
                        return range.first <= kProbePort && kProbePort <= range.last;
                    });
                return here && udp && port;
            });
        if (!allowed) return gateway;
    }
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
