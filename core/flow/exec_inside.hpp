// core/flow/exec_inside.hpp - one command inside a running sandbox, through `alca-init stub`.
//
// The engine's exec API loses signals, window sizes and processes whose client died (measured: it
// is why the stub exists). So the engine only carries bytes: the command, its input, signals and
// sizes go in as frames, its output comes back as it is.
#ifndef ALCA_CORE_FLOW_EXEC_INSIDE_HPP
#define ALCA_CORE_FLOW_EXEC_INSIDE_HPP

#include <functional>
#include <string>

#include "alca/runtime.hpp"
#include "core/flow/frames.hpp"
#include "core/os/signals.hpp"
#include "core/os/terminal_modes.hpp"

namespace alca::flow {

// Where the helper is mounted in every sandbox: right below the root, because root inside can
// rename any directory above a mount point but not the mount point itself, and then put another
// program in its place.
inline constexpr const char* kInitPath = "/alca-init";

// The caller's side of the command. Descriptors are borrowed; -1 as input means an empty one.
struct CommandIo {
    int in = -1;
    int out = -1;
    int err = -1;
    // Signals to hand to the command as they come; nullptr: none. SIGWINCH becomes a window size.
    const os::SignalFd* signals = nullptr;
    // Where `out` is the command's terminal: learns of all that reaches it.
    os::TerminalModes* modes = nullptr;
};

struct InsideRequest {
    SandboxRef sandbox;
    std::string refused_address = {};  // flow::refused_address
    std::string user;                  // "uid:gid", a name, or "" = the container's
    Command command;
    // What background jobs of the command write after its end still goes where its output went.
    bool follows_background = true;
    // Called when the command is about to start, once; may be empty. exec_inside leaves it to the
    // caller.
    std::function<Result<void>()> on_start = {};
};

// Runs it and returns its exit code (128+n for signal n; 125 when the stub itself failed). With
// command.tty, io.in must be a terminal that is already raw.
// With io.signals they are the command's, and those that end programs close its input after the
// fourth; one more gives up, error cancelled. Without, call.cancel_fd readable: the command and all
// its descendants are ended; error cancelled.
[[nodiscard]] Result<int> exec_inside(Runtime& runtime, const Call& call,
                                      const InsideRequest& request, const CommandIo& io);

}  // namespace alca::flow

#endif
