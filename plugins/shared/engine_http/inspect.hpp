// plugins/shared/engine_http/inspect.hpp - what an engine says about a container, in our terms.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_INSPECT_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_INSPECT_HPP

#include <string>
#include <vector>

#include "alca/json.hpp"
#include "alca/result.hpp"
#include "alca/runtime.hpp"

namespace alca::engine_http {

// From the answer of GET /containers/{id}/json.
// effective.env has the image's variables too. effective.capabilities is the set that process 1
// has as root, without the prefix CAP_, sorted. effective.network has a name only.
// Errors: failed (members of the wrong type).
[[nodiscard]] Result<SandboxStatus> status_of_inspect(const Json& inspect);

// From one entry of GET /containers/json: no `effective`, no weaknesses, no started_at.
[[nodiscard]] Result<SandboxStatus> status_of_list_entry(const Json& entry);

// Settings of HostConfig that widen what a sandbox may do and that we never ask for, in words. What
// a SandboxSpec can say (capabilities, mounts, ports, limits, seccomp) is not judged here: the host
// compares it. Members are checked by name, so an option that this list does not know passes.
[[nodiscard]] std::vector<std::string> weaknesses_of(const Json& inspect);

}  // namespace alca::engine_http

#endif
