// core/flow/protection.hpp - the network rules of one sandbox: put up, compared, taken down.
#ifndef ALCA_CORE_FLOW_PROTECTION_HPP
#define ALCA_CORE_FLOW_PROTECTION_HPP

#include <string>

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// What can stand between a sandbox and the network here.
struct Protection {
    std::string engine;  // its name for people, "Docker"
    bool rules = false;  // the firewall plugin will hold this sandbox
    NetworkPolicy policy = NetworkPolicy::internet;
    std::string layer;  // for people: "host nftables (inet alca)"
    std::string
        missing;  // why there are none, and what to do; "" when there are or none are needed
};

// Asks the plugins; changes nothing.
[[nodiscard]] Result<Protection> find_protection(const Context& context,
                                                 const config::Config& config);

// What the state says of a sandbox that is held by rules. Only with protection.rules.
[[nodiscard]] project::FirewallState firewall_state(const Context& context,
                                                    const Protection& protection);

// Puts the rules up and reads them back. Errors: those of the plugin; failed (the kernel does not
// hold what was put there).
[[nodiscard]] Result<void> put_up_rules(const Context& context, const project::State& state,
                                        NetworkPolicy policy);

// Reads the rules back and restores them, with a warning, if anything differs.
[[nodiscard]] Result<void> keep_rules(const Context& context, const project::State& state,
                                      NetworkPolicy policy);

// Takes the rules away; nothing to take is success.
[[nodiscard]] Result<void> take_down_rules(const Context& context, const Call& call,
                                           const project::State& state);

[[nodiscard]] NetworkPolicy policy_of(const config::Config& config);

}  // namespace alca::flow

#endif
