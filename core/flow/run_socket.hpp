// core/flow/run_socket.hpp - the socket on which alca-init, process 1 of a sandbox, takes commands.
//
// It lies in a directory that the sandbox can write: nothing that is found there is trusted.
#ifndef ALCA_CORE_FLOW_RUN_SOCKET_HPP
#define ALCA_CORE_FLOW_RUN_SOCKET_HPP

#include <cstdint>

#include "alca/result.hpp"
#include "core/flow/context.hpp"
#include "core/os/fd.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

inline constexpr const char* kRunMount = "/alca-run";  // the directory, inside
inline constexpr const char* kRunSocket = "init.sock";

// $XDG_STATE_HOME/alca/run/<project id>, with all links resolved.
[[nodiscard]] Result<fs::path> make_run_directory(const Host& host, const project::State& state);
// False: something of it stays, under another name, so that no later sandbox sees it. Root inside
// can make what this user cannot remove.
[[nodiscard]] bool remove_run_directory(const Host& host, const project::State& state);

// Connects. The peer is process `pid`, as the kernel says. Errors: unavailable (no socket, nobody
// there), denied (another process, or no socket stands there).
[[nodiscard]] Result<os::Fd> connect_to_init(const Host& host, const project::State& state);

}  // namespace alca::flow

#endif
