// plugins/shared/engine_http/net_helper.hpp - a program with CAP_NET_ADMIN and nothing else, in the
// network namespace of the engine's machine or of a container.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_NET_HELPER_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_NET_HELPER_HPP

#include <string>

#include "alca/runtime.hpp"
#include "plugins/shared/engine_http/engine.hpp"

namespace alca::engine_http {

// Label of the containers that run it.
inline constexpr const char* kNetHelperLabel = "alca.net-helper";

// Makes an image out of the tar file `archive` unless the engine has it, runs the program
// "/alca-net" in it, pumps its bytes until it has ended, and takes its container away. The image
// stays: it is named by the file's digest. container: whose namespace it shares; "" = the
// machine's. Errors: not_found (no such file, no such container), cancelled, failed, unavailable.
[[nodiscard]] Result<void> run_net_helper(Engine& engine, const Call& call,
                                          const std::string& archive, const std::string& container,
                                          const Stdio& io);

}  // namespace alca::engine_http

#endif
