#include "core/os/signals.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>

#include "core/os/file.hpp"

namespace alca::os {

Result<SignalFd> SignalFd::block(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
        return fail(fmt::format("cannot block signals: {}", errno_text(error)));
    }
    Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return fail(fmt::format("cannot watch signals: {}", errno_text(errno)));
    return SignalFd(std::move(fd));
}

std::optional<int> SignalFd::take() const {
    signalfd_siginfo info{};
    const ssize_t count = ::read(fd_.get(), &info, sizeof info);
    if (count != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

}  // namespace alca::os
