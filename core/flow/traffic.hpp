// core/flow/traffic.hpp - the proxy and the limits of a sandbox.
#ifndef ALCA_CORE_FLOW_TRAFFIC_HPP
#define ALCA_CORE_FLOW_TRAFFIC_HPP

#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// They need rules in the kernel, whatever the policy.
[[nodiscard]] bool is_restricted(const config::Config& config);

// What of them is another one than the rules of `state` hold, as lines for people.
[[nodiscard]] std::vector<std::string> traffic_changes(const config::Config& config,
                                                       const project::State& state);

}  // namespace alca::flow

#endif
