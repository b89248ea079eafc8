#include "core/flow/traffic.hpp"

namespace alca::flow {

bool is_restricted(const config::Config& config) {
    return config.network.proxy.has_value() || config.network.limits != TrafficLimits{};
}

std::vector<std::string> traffic_changes(const config::Config& config,
                                         const project::State& state) {
    std::vector<std::string> changes;
    if (state.firewall.plugin.empty()) return changes;  // without rules there is none of both
    if (config.network.proxy != state.firewall.proxy) {
        changes.emplace_back("network.proxy has changed; to take it over, run: alca up");
    }
    if (config.network.limits != state.firewall.limits) {
        changes.emplace_back("network.limits have changed; to take them over, run: alca up");
    }
    return changes;
}

}  // namespace alca::flow
