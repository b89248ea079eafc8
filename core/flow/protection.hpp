// core/flow/protection.hpp - the network rules of one sandbox: put up, compared, taken down.
#ifndef ALCA_CORE_FLOW_PROTECTION_HPP
#define ALCA_CORE_FLOW_PROTECTION_HPP

#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/flow/lan_access.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// What can stand between a sandbox and the network here.
struct Protection {
    std::string engine;  // its name for people, "Docker"
    bool rules = false;  // the firewall plugin will hold this sandbox
    NetworkPolicy policy = NetworkPolicy::internet;
    std::string layer;  // for people: "host nftables (inet alca)"
    LanAccess access;   // empty when the policy is "open"
    std::optional<TcpProxy> proxy;
    TrafficLimits limits;
    std::string
        missing;  // why there are none, and what to do; "" when there are or none are needed
};

// Asks the plugins, and looks host names up; changes nothing.
[[nodiscard]] Result<Protection> find_protection(const Context& context,
                                                 const config::Config& config);

// What the state says of a sandbox that is held by rules. Only with protection.rules.
[[nodiscard]] project::FirewallState firewall_state(const Context& context,
                                                    const Protection& protection);

// Puts the rules up and reads them back. Errors: those of the plugin; failed (the kernel does not
// hold what was put there).
// state.firewall says which: policy and resolvers.
[[nodiscard]] Result<void> put_up_rules(const Context& context, const project::State& state);

// Reads the rules back and restores them, with a warning, if anything differs.
[[nodiscard]] Result<void> keep_rules(const Context& context, const project::State& state);
// What differs from the rules that must be there; "" when nothing does.
[[nodiscard]] Result<std::string> look_at_rules(const Context& context,
                                                const project::State& state);

// Takes the rules away; nothing to take is success.
[[nodiscard]] Result<void> take_down_rules(const Context& context, const Call& call,
                                           const project::State& state);

// Findings become an error; or, where the user said that he accepts them, a warning that the state
// keeps for as long as the sandbox exists.
[[nodiscard]] Result<void> judge(const Context& context, const std::vector<std::string>& problems,
                                 bool allow_unprotected, project::State& state);

// Keeps in the state why a sandbox is not protected.
void note_unprotected(project::State& state, const std::string& reason);

// The policy that the state's rules were made for.
[[nodiscard]] NetworkPolicy policy_of(const project::FirewallState& firewall);
[[nodiscard]] NetworkPolicy policy_of(const config::Config& config);

}  // namespace alca::flow

#endif
