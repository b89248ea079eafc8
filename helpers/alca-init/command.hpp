#pragma once

#include <sys/types.h>

#include "exec_request.hpp"
#include "fd.hpp"

namespace alca::init {

// Exit codes of `alca run` that do not come from the command.
inline constexpr int kExitOwnFailure = 125;
inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

// A running command; it leads a session and a process group of its own.
struct Command {
    pid_t pid = -1;
    Fd input;     // write end of its stdin, or the terminal's master; does not block
    Fd terminal;  // slave, kept open so that the master stays usable while the command runs; none
                  // without terminal
};

// Starts what is asked for with this process's stdout and stderr, or on a new terminal.
// 0: `command` runs. Else the exit code; the reason was written to stderr.
[[nodiscard]] int start_command(const ExecRequest& request, Command& command);

}  // namespace alca::init
