#include "core/os/interrupt.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "core/os/file.hpp"

namespace alca::os {
namespace {

void raise_event(int fd) {
    // The counter of an eventfd is far from its limit: this cannot fail.
    static_cast<void>(::eventfd_write(fd, 1));
}

// Unblocks the signals in the watching thread alone: the kernel delivers the next one there, and
// its default action ends the process.
void restore_default_action() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void wait_for_signal(const SignalFd& signals, int cancelled, int stop) noexcept {
    while (true) {
        std::array<pollfd, 2> entries{{{signals.fd(), POLLIN, 0}, {stop, POLLIN, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
        if (entries[1].revents != 0) return;
        if (entries[0].revents == 0 || !signals.take()) continue;
        raise_event(cancelled);
        restore_default_action();
        pollfd entry{stop, POLLIN, 0};
        while (::poll(&entry, 1, -1) < 0 && errno == EINTR) {
        }
        return;
    }
}

}  // namespace

Result<Interrupt> Interrupt::watch() {
    auto signals = SignalFd::block({SIGINT, SIGTERM, SIGHUP});
    if (!signals) return fail(signals.error());
    Fd cancelled(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!cancelled || !stop) return fail("cannot make an eventfd: " + errno_text(errno));
    return Interrupt(std::move(*signals), std::move(cancelled), std::move(stop));
}

Interrupt::Interrupt(SignalFd signals, Fd cancelled, Fd stop)
    : cancelled_(std::move(cancelled)),
      stop_(std::move(stop)),
      thread_([signals = std::move(signals), cancelled_fd = cancelled_.get(),
               stop_fd = stop_.get()] { wait_for_signal(signals, cancelled_fd, stop_fd); }) {}

Interrupt::~Interrupt() {
    if (stop_) raise_event(stop_.get());
}

}  // namespace alca::os
