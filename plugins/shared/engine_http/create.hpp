// plugins/shared/engine_http/create.hpp - the body of POST /containers/create.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_CREATE_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_CREATE_HPP

#include "alca/json.hpp"
#include "alca/runtime.hpp"

namespace alca::engine_http {

// Every container option that is sent, and only what `spec` says: nothing of it is decided here but
// the fixed surroundings (own namespaces, small log, restart unless stopped).
[[nodiscard]] Json create_body(const SandboxSpec& spec);

// Checks what an engine would accept silently or would explain badly.
// Errors: invalid (no id, name, image, init or network; a mount with neither or both of source and
// volume), not_found (a mount's source does not exist), denied (it cannot be looked at).
[[nodiscard]] Result<void> check_spec(const SandboxSpec& spec);

}  // namespace alca::engine_http

#endif
