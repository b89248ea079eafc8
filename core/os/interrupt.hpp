// core/os/interrupt.hpp - Ctrl-C as a descriptor: the first one asks to stop, the second one stops.
#ifndef ALCA_CORE_OS_INTERRUPT_HPP
#define ALCA_CORE_OS_INTERRUPT_HPP

#include <thread>

#include "alca/result.hpp"
#include "core/os/fd.hpp"
#include "core/os/signals.hpp"

namespace alca::os {

// Watches SIGINT, SIGTERM and SIGHUP from a thread of its own. Make it before any other thread.
class Interrupt {
  public:
    [[nodiscard]] static Result<Interrupt> watch();
    Interrupt(Interrupt&&) noexcept = default;
    Interrupt& operator=(Interrupt&&) = delete;
    ~Interrupt();

    // Readable from the first signal on, and stays so. From then on a second signal has its
    // ordinary effect and ends the process at once.
    [[nodiscard]] int cancel_fd() const { return cancelled_.get(); }

  private:
    Interrupt(SignalFd signals, Fd cancelled, Fd stop);
    Fd cancelled_;
    Fd stop_;
    std::jthread thread_;
};

}  // namespace alca::os

#endif
