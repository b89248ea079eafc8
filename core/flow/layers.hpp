// core/flow/layers.hpp - the two layers of network rules, and the way to where each is.
//
// host: where the sandbox's traffic is routed. inside: in the sandbox's own network namespace. The
// firewall plugin reaches a kernel itself, or, where this process may not, through the helper
// alca-net, which the engine starts there in a container.
#ifndef ALCA_CORE_FLOW_LAYERS_HPP
#define ALCA_CORE_FLOW_LAYERS_HPP

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "alca/firewall.hpp"
#include "alca/runtime.hpp"
#include "core/flow/context.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

enum class Way {
    direct,     // the plugin, in this process
    helper,     // the plugin, through the installed network helper
    container,  // alca-net in a container of the engine
};

[[nodiscard]] std::string_view to_string(Way way);

[[nodiscard]] project::EngineState engine_state(const RuntimeProbe& probe);

struct Ways {
    std::optional<Way> host;
    std::optional<Way> inside;
    bool here = true;      // the kernel is this machine's, so there are direct ways
    bool strict = false;   // the host's layer can be strict
    bool traffic = false;  // and has proxies and limits
    std::string missing;   // why there is neither, and what to do
};

// Whether ALCA_NETWORK_LAYERS takes anything away.
[[nodiscard]] bool is_layer_chosen(const Host& host);

// What can be reached here, by what the plugins say and the user allows
// (ALCA_NETWORK_LAYERS, see docs/reference/network.md). Changes nothing.
// firewall: nullptr when no plugin for it is installed.
[[nodiscard]] Result<Ways> find_ways(const FirewallPort* firewall, const Host& host,
                                     const Call& call, const project::EngineState& engine);

// Gives `work` a firewall that is where the layer is: directly, or where this process lacks the
// right to (error denied, which changes nothing), by container. `work` must not use the runtime.
// Returns the way. Errors: those of `work`; what keeps alca-net from starting.
struct LayerPlace {
    FirewallLayer layer = FirewallLayer::host;
    bool here = true;  // project::FirewallState::here
    SandboxRef sandbox;
    bool may_start_container = true;
    bool tells_helper = false;  // tells Way::helper from Way::direct, which takes a look more
};
using FirewallWork = std::function<Result<void>(Firewall&)>;
[[nodiscard]] Result<Way> on_layer(const Context& context, const Call& call,
                                   const LayerPlace& place, const FirewallWork& work);

// "2 of 2 layers: host, direct; inside the sandbox, direct".
[[nodiscard]] std::string describe(const std::optional<Way>& host,
                                   const std::optional<Way>& inside);

}  // namespace alca::flow

#endif
