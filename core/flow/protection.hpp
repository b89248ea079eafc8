// core/flow/protection.hpp - the network rules of one sandbox: put up, compared, taken down.
#ifndef ALCA_CORE_FLOW_PROTECTION_HPP
#define ALCA_CORE_FLOW_PROTECTION_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/flow/lan_access.hpp"
#include "core/flow/layers.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// What can stand between a sandbox and the network here.
struct Protection {
    NetworkPolicy policy = NetworkPolicy::internet;
    Ways ways;         // inside is never used for the policy "open"
    LanAccess access;  // empty when the policy is "open"
    bool strict = false;
    std::optional<TcpProxy> proxy;
    TrafficLimits limits;
    std::string
        missing;  // why there are no rules, and what to do; "" when there are or none are needed

    [[nodiscard]] bool has_rules() const { return ways.host || ways.inside; }
};

// Asks the firewall plugin, and looks host names up; changes nothing.
[[nodiscard]] Result<Protection> find_protection(const Context& context,
                                                 const config::Config& config,
                                                 const project::EngineState& engine);

// What the state says of a sandbox that is held by rules. Only with protection.has_rules().
// before: what the state said until now; rules of the host that are there stay in force.
[[nodiscard]] project::FirewallState firewall_state(const Context& context,
                                                    const Protection& protection,
                                                    const project::FirewallState& before,
                                                    const std::vector<Port>& ports);

// state.firewall says what must be there. pid: SandboxStatus::pid, for the layer inside; what is
// not in force by the state is left out. Errors of all: those of the plugin; failed (the kernel
// does not hold what was put there).

// Puts one layer up and reads it back.
[[nodiscard]] Result<void> put_up_rules(const Context& context, const project::State& state,
                                        FirewallLayer layer, std::int64_t pid = 0);
// Reads the layers back and restores them, with a warning, if anything differs.
[[nodiscard]] Result<void> keep_rules(const Context& context, const project::State& state,
                                      std::int64_t pid);
// What must be seen before a command may start: "" is right. The stub tries the layer inside; where
// that cannot show anything it is read back. The layer of the host is read back; where that would
// take a container it is left out, if the stub tries the other layer and nothing is the host's
// alone (proxy, limits, strict).
[[nodiscard]] Result<std::string> look_before_run(const Context& context,
                                                  const project::State& state);

// What each layer in force holds, and has refused; all of it in one look.
struct RulesReport {
    std::optional<Way> host;  // nothing: not in force, or not readable
    std::optional<Way> inside;
    std::vector<std::string> problems;
    FirewallReport refused;          // of all layers together
    std::vector<std::string> notes;  // what could not be told
};
[[nodiscard]] RulesReport look_at_rules(const Context& context, const project::State& state,
                                        std::int64_t pid);

// Takes the rules of the host away; nothing to take is success. Those inside end with the sandbox.
[[nodiscard]] Result<void> take_down_rules(const Context& context, const Call& call,
                                           const project::State& state);

// Takes those inside away while the sandbox runs: for the policy "open".
[[nodiscard]] Result<void> take_down_inside(const Context& context, const project::State& state,
                                            std::int64_t pid);

// Proxy, limits or strict: what the layer inside does not do.
[[nodiscard]] bool is_hosts_alone(const project::FirewallState& firewall);

// What a sandbox with the layer inside must refuse: `alca-init stub` tries it before it starts a
// command. "" when there is nothing that can be tried.
[[nodiscard]] std::string refused_address(const project::State& state);

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
