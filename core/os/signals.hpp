// core/os/signals.hpp - signals as descriptors, so that every wait is one poll.
#ifndef ALCA_CORE_OS_SIGNALS_HPP
#define ALCA_CORE_OS_SIGNALS_HPP

#include <initializer_list>
#include <optional>

#include "alca/result.hpp"
#include "core/os/fd.hpp"

namespace alca::os {

// Blocks a set of signals in this thread, and so in threads started later, and makes them readable
// from fd(). Children inherit the blocked mask: start them with alca::spawn, which resets it.
class SignalFd {
  public:
    [[nodiscard]] static Result<SignalFd> block(std::initializer_list<int> signals);

    [[nodiscard]] int fd() const { return fd_.get(); }
    // Takes one pending signal; nullopt when there is none. Never waits.
    [[nodiscard]] std::optional<int> take() const;

  private:
    explicit SignalFd(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace alca::os

#endif
