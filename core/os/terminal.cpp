#include "core/os/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "core/os/file.hpp"

namespace alca::os {

std::optional<WindowSize> window_size(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
        return std::nullopt;
    }
    return WindowSize{size.ws_row, size.ws_col};
}

Fd open_without_waiting(int fd) {
    if (::isatty(fd) != 1) return {};
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    return Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

Result<RawTerminal> RawTerminal::enter(int fd) {
    termios saved{};
    if (::tcgetattr(fd, &saved) != 0) {
        return fail(fmt::format("cannot read the terminal's modes: {}", errno_text(errno)));
    }
    termios raw = saved;
    ::cfmakeraw(&raw);
    if (::tcsetattr(fd, TCSADRAIN, &raw) != 0) {
        return fail(fmt::format("cannot set the terminal's modes: {}", errno_text(errno)));
    }
    return RawTerminal(fd, saved);
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), saved_(other.saved_) {}

RawTerminal::~RawTerminal() {
    // Not TCSADRAIN: a terminal that takes nothing any more must not keep the program.
    if (fd_ >= 0) ::tcsetattr(fd_, TCSANOW, &saved_);
}

}  // namespace alca::os
