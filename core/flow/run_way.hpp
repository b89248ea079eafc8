// core/flow/run_way.hpp - which way `alca run` takes into the sandbox.
#ifndef ALCA_CORE_FLOW_RUN_WAY_HPP
#define ALCA_CORE_FLOW_RUN_WAY_HPP

#include <string>

#include "alca/result.hpp"
#include "core/flow/context.hpp"
#include "core/os/fd.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// Why the engine, and the plugin that holds the rules, must be asked before a command starts. "":
// the process that `up` verified still runs, on the same network, and its rules are known to be in
// force. Those inside are tried by alca-init before each command.
[[nodiscard]] std::string why_engine_is_asked(const Host& host, const project::State& state);

// A connection to the sandbox's own socket. Errors: why commands go through the engine.
[[nodiscard]] Result<os::Fd> open_run_socket(const Host& host, const project::State& state);

// What `run` would do now. Looks only, starts nothing.
struct RunWay {
    bool by_socket = false;  // else through the engine
    std::string reason;  // why not by the socket, or why the engine is asked first; "" = it is not
};
[[nodiscard]] RunWay look_at_run_way(const Host& host, const project::State& state);
// One line for people.
[[nodiscard]] std::string describe(const RunWay& way);

}  // namespace alca::flow

#endif
