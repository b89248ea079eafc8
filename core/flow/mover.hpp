// core/flow/mover.hpp - moves bytes from a pipe to a descriptor of the user's.
#ifndef ALCA_CORE_FLOW_MOVER_HPP
#define ALCA_CORE_FLOW_MOVER_HPP

#include <poll.h>

#include <cstddef>
#include <string>

#include "core/os/fd.hpp"
#include "core/os/terminal_modes.hpp"

namespace alca::flow {

// In the kernel (splice) where the target allows it, else through memory. Never waits: entry() says
// for what. The target is borrowed, and its flags are left alone: it is shared with others.
class Mover {
  public:
    // from: the read end of a pipe, not blocking. to: -1 throws away.
    Mover(os::Fd from, int to) : from_(std::move(from)), to_(to) {}

    // The target is a terminal: `modes` (borrowed) learns of each byte that it has taken.
    void watch(os::TerminalModes& modes);
    // Until nothing is there, the target takes no more, or about `at_most` bytes have passed, so
    // that a writer without end does not keep the caller from everything else. Closes the pipe at
    // its end, and when the target takes nothing any more: the writer then gets SIGPIPE. Returns
    // how many bytes passed.
    std::size_t move(std::size_t at_most = kTurnBytes);
    // Closes the pipe where its writers have gone and nothing is left in it.
    void close_if_ended();
    void close() { from_.reset(); }

    [[nodiscard]] bool is_open() const { return static_cast<bool>(from_); }
    // The last move() stopped at the target, not for want of bytes.
    [[nodiscard]] bool is_blocked() const { return is_blocked_; }
    // Bytes that wait, here and in the pipe.
    [[nodiscard]] std::size_t waiting() const;
    // Why the target took no more, an errno; 0 when it did, or nobody reads there any more.
    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] int source() const { return from_.get(); }
    [[nodiscard]] int target() const { return to_; }
    // What to poll for.
    [[nodiscard]] pollfd entry() const;

  private:
    static constexpr std::size_t kTurnBytes = std::size_t{8} << 20;
    enum class Step { moved, empty, blocked, ended };
    Step splice_some(std::size_t& left);
    Step copy_some(std::size_t& left);
    Step refused(int error);
    [[nodiscard]] bool may_write() const;
    void widen() const;

    os::Fd from_;
    os::Fd terminal_;  // the target where it is watched, opened anew
    int to_;
    bool can_splice_ = true;
    bool is_blocked_ = false;
    int error_ = 0;
    std::size_t spliced_ = 0;
    os::TerminalModes* modes_ = nullptr;
    std::string rest_;  // read and not written yet
};

}  // namespace alca::flow

#endif
