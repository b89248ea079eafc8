// plugins/shared/engine_http/exec.hpp - a command in a running container, over the exec API.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_EXEC_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_EXEC_HPP

#include <string>

#include "alca/runtime.hpp"
#include "plugins/shared/engine_http/engine.hpp"

namespace alca::engine_http {

// Runs request.argv in `container` and pumps its bytes until it has ended. Returns its exit code;
// 141 when nobody reads its output any more (what a shell calls the end by SIGPIPE).
//
// The exec API cannot end a command: after a cancel, a lost connection or 141 its input is at its
// end and its output has no reader, but it may live on. What must not live on has to watch its
// input. Errors: cancelled, not_found (no such container), failed (not running, and the engine's
// reasons), unavailable (connection lost).
[[nodiscard]] Result<int> run_exec(Engine& engine, const Call& call, const std::string& container,
                                   const ExecRequest& request, const Stdio& io);

}  // namespace alca::engine_http

#endif
