// core/flow/lan_access.hpp - what a configuration allows in the local network, in addresses.
#ifndef ALCA_CORE_FLOW_LAN_ACCESS_HPP
#define ALCA_CORE_FLOW_LAN_ACCESS_HPP

#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/flow/context.hpp"

namespace alca::flow {

struct LanAccess {
    std::vector<AllowRule> allow;
    std::vector<project::ResolvedName> names;  // sorted, each once
};

// Looks host names up. Resolvers that the configuration names are allowed on port 53.
// Errors: not_found (a name without an address), invalid (a name that stands for this machine),
// cancelled.
[[nodiscard]] Result<LanAccess> lan_access(const Context& context, const config::Config& config);

// What of `state` is no longer so, as lines for people: other entries in the configuration, names
// with other addresses. Empty when all is as it was at the last `up`.
[[nodiscard]] std::vector<std::string> lan_access_changes(const Context& context,
                                                          const config::Config& config,
                                                          const project::State& state);

}  // namespace alca::flow

#endif
