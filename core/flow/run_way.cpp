#include "core/flow/run_way.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "core/flow/layers.hpp"
#include "core/flow/network_helper.hpp"
#include "core/flow/protection.hpp"
#include "core/flow/rules_seen.hpp"
#include "core/flow/run_socket.hpp"
#include "core/flow/sandbox_process.hpp"

namespace alca::flow {
namespace {

std::string why_process_is_unknown(const project::State& state) {
    if (state.process.pid == 0) return "process 1 of the sandbox is not to be seen from here";
    if (is_running_unchanged(state)) return "";
    return "process 1 of the sandbox or its network is not the one that `alca up` verified";
}

std::string why_rules_are_unknown(const Host& host, const project::State& state) {
    const project::FirewallState& firewall = state.firewall;
    if (!firewall.settled) return "a change of the network rules was not finished";
    if (firewall.plugin.empty()) {
        const bool none_wanted = state.allow_unprotected || firewall.policy == "open";
        return none_wanted ? "" : "the sandbox has no network rules";
    }
    if (is_layer_chosen(host)) return "the layers of rules are chosen by hand";
    const bool inside_is_tried = !refused_address(state).empty();
    if (firewall.inside && !inside_is_tried) return "no address can be tried from inside";
    if (!firewall.host) return "";
    const auto stamp = rules_stamp(state);
    if (stamp) {
        const bool are_seen = firewall.here && were_rules_seen(host, state, *stamp);
        return are_seen ? "" : "the rules of this machine were not read since they changed";
    }
    if (stamp.error().code != Code::denied) return stamp.error().message;
    // This user cannot see the host's rules but by the network helper or a container: what
    // look_before_run leaves out is left out here too.
    const bool is_left_out = inside_is_tried && !is_hosts_alone(firewall) &&
                             ::access(kInstalledNetworkHelper, F_OK) != 0;
    return is_left_out ? "" : "this user cannot see whether the network rules have changed";
}

}  // namespace

std::string why_engine_is_asked(const Host& host, const project::State& state) {
    if (state.phase != project::Phase::ready) return "the sandbox is not ready";
    std::string reason = why_process_is_unknown(state);
    return reason.empty() ? why_rules_are_unknown(host, state) : reason;
}

Result<os::Fd> open_run_socket(const Host& host, const project::State& state) {
    const auto wanted = host.environment.find("ALCA_RUN_BY");
    if (wanted != host.environment.end() && wanted->second == "engine") {
        return fail(Code::unsupported, "ALCA_RUN_BY says so");
    }
    return connect_to_init(host, state);
}

RunWay look_at_run_way(const Host& host, const project::State& state) {
    if (std::string reason = why_process_is_unknown(state); !reason.empty()) {
        return {.by_socket = false, .reason = std::move(reason)};
    }
    const auto socket = open_run_socket(host, state);
    if (!socket) return {.by_socket = false, .reason = socket.error().message};
    return {.by_socket = true, .reason = why_engine_is_asked(host, state)};
}

std::string describe(const RunWay& way) {
    if (!way.by_socket) return fmt::format("through the engine: {}", way.reason);
    if (way.reason.empty()) return "by the socket of the sandbox";
    return fmt::format("by the socket of the sandbox, after the engine was asked: {}", way.reason);
}

}  // namespace alca::flow
