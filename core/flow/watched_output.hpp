// core/flow/watched_output.hpp - a command's output on its way to the user's terminal, read along.
#ifndef ALCA_CORE_FLOW_WATCHED_OUTPUT_HPP
#define ALCA_CORE_FLOW_WATCHED_OUTPUT_HPP

#include <thread>

#include "alca/result.hpp"
#include "core/os/fd.hpp"
#include "core/os/terminal_modes.hpp"

namespace alca::flow {

// Stands between a writer that knows nothing of terminals and the terminal: a pipe, and a thread
// that empties it.
class WatchedOutput {
  public:
    // Borrows all. to: the terminal. give_up_fd: readable when nothing more is to be written, which
    // is what helps against a terminal that takes nothing.
    [[nodiscard]] static Result<WatchedOutput> start(int to, os::TerminalModes& modes,
                                                     int give_up_fd);
    WatchedOutput(WatchedOutput&&) noexcept = default;
    WatchedOutput& operator=(WatchedOutput&&) = delete;
    // Returns when all that was written has reached the terminal, or it was given up.
    ~WatchedOutput() { source_.reset(); }

    [[nodiscard]] int fd() const { return source_.get(); }

  private:
    WatchedOutput(std::jthread thread, os::Fd source)
        : thread_(std::move(thread)), source_(std::move(source)) {}

    std::jthread thread_;
    os::Fd source_;
};

}  // namespace alca::flow

#endif
