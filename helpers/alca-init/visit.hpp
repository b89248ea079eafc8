#pragma once

#include "fd.hpp"

namespace alca::init {

// One client of the socket, from its hello to its command's exit code;
// docs/reference/run-protocol.md describes it. Never returns. The process is this client's alone:
// it becomes the command's user.
[[noreturn]] void serve_visit(Fd connection);

}  // namespace alca::init
