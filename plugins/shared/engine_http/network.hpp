// plugins/shared/engine_http/network.hpp - a sandbox's own bridge network.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_NETWORK_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_NETWORK_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alca/runtime.hpp"
#include "plugins/shared/engine_http/engine.hpp"
#include "plugins/shared/engine_http/subnet.hpp"

namespace alca::engine_http {

// The label that makes a container, network or volume ours; its value is the project's UUID.
inline constexpr const char* kProjectLabel = "alca.project.id";

// Makes the network `spec` of the project `id`, or takes the one that is there already if it is
// exactly what we would make. Subnets are a /28 that avoids `routes`, and a /64 with IPv6.
// Errors: failed (a network of that name that is not ours or differs, no free subnet), and the
// engine's.
[[nodiscard]] Result<PreparedNetwork> ensure_network(Engine& engine, const Call& call,
                                                     std::string_view id, const NetworkSpec& spec,
                                                     const std::vector<Ipv4Subnet>& routes);

// Removes the project's network; one that is not there is a success.
// Errors: failed (it belongs to another project, or containers are still joined; it names them).
[[nodiscard]] Result<void> remove_network(Engine& engine, const Call& call, std::string_view id,
                                          const std::string& name);

// Reads the network's bridge back; nullopt when there is no network of that name.
[[nodiscard]] Result<std::optional<NetworkSpec>> read_network(Engine& engine, const Call& call,
                                                              const std::string& name);

}  // namespace alca::engine_http

#endif
