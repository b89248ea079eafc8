// core/flow/exec_by_socket.hpp - one command inside a running sandbox, without its engine.
//
// The frames of exec_inside, on the socket of alca-init. The command's output comes through pipes
// that are made for it: a descriptor of the user's, once inside, would be a way out
// (docs/reference/run-protocol.md).
#ifndef ALCA_CORE_FLOW_EXEC_BY_SOCKET_HPP
#define ALCA_CORE_FLOW_EXEC_BY_SOCKET_HPP

#include "core/flow/exec_inside.hpp"
#include "core/os/fd.hpp"

namespace alca::flow {

// connection: of connect_to_init. Returns the exit code as exec_inside does. Processes that outlive
// the command keep its output: it is moved on by a process in the background.
// Errors: unsupported (nothing was started: take the other way); unavailable (the sandbox is gone);
// cancelled, failed.
[[nodiscard]] Result<int> exec_by_socket(const Call& call, os::Fd connection,
                                         const InsideRequest& request, const CommandIo& io);

}  // namespace alca::flow

#endif
