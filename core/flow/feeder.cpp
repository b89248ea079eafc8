#include "core/flow/feeder.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace alca::flow {
namespace {

// Signals that end a command when they are sent to it; after so many without effect the user means
// it.
constexpr int kPatience = 3;

}  // namespace

void Feeder::run(const std::string& first_frame) noexcept {
    feed(first_frame);
    // Also where another descriptor of the same socket stays open.
    ::shutdown(carrier_.get(), SHUT_WR);
    carrier_.reset();
    wait_for_the_end();
}

// An engine that does not answer must not hold the user: one more signal gives it up.
void Feeder::wait_for_the_end() {
    if (io_.signals == nullptr) return;
    while (true) {
        std::array<pollfd, 2> entries{{{stop_fd_, POLLIN, 0}, {io_.signals->fd(), POLLIN, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
        if (entries[0].revents != 0) return;
        while (const auto signal = io_.signals->take()) {
            if (*signal != SIGWINCH) static_cast<void>(::eventfd_write(give_up_fd_, 1));
        }
    }
}

void Feeder::feed(const std::string& first_frame) {
    if (!send(first_frame)) return;
    if (io_.in < 0 && !send(input_end_frame())) return;
    bool input_open = io_.in >= 0;
    while (true) {
        std::array<pollfd, 4> entries{{{stop_fd_, POLLIN, 0},
                                       {io_.signals != nullptr ? io_.signals->fd() : -1, POLLIN, 0},
                                       {input_open ? io_.in : -1, POLLIN, 0},
                                       {carrier_.get(), 0, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return;
        }
        if (entries[0].revents != 0 || (entries[3].revents & (POLLERR | POLLHUP)) != 0) return;
        if (entries[1].revents != 0 && !forward_signals()) return;
        if (entries[2].revents != 0 && !forward_input(input_open)) return;
    }
}

bool Feeder::forward_signals() {
    while (const auto signal = io_.signals->take()) {
        if (*signal == SIGWINCH) {
            const auto size = tty_ ? os::window_size(io_.in) : std::nullopt;
            if (size && !send(window_size_frame(*size))) return false;
            continue;
        }
        if ((*signal == SIGINT || *signal == SIGTERM) && ++insisted_ > kPatience) return false;
        if (!send(signal_frame(*signal))) return false;
    }
    return true;
}

bool Feeder::forward_input(bool& input_open) {
    const ssize_t count = ::read(io_.in, buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (count > 0) return send(input_frame({buffer_.data(), static_cast<std::size_t>(count)}));
    input_open = false;
    // A terminal that is gone (EIO) is not the end of the input but the end of the client.
    if (tty_) return false;
    return send(input_end_frame());
}

// Writes a frame. While a command that reads nothing keeps the carrier full, no signal frame can
// get past the input in front of it: then a signal closes the carrier, and the stub ends the
// command.
bool Feeder::send(std::string_view data) {
    while (!data.empty()) {
        const ssize_t count = ::write(carrier_.get(), data.data(), data.size());
        if (count >= 0) {
            data.remove_prefix(static_cast<std::size_t>(count));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return false;
        const int signals = io_.signals != nullptr ? io_.signals->fd() : -1;
        std::array<pollfd, 3> entries{
            {{stop_fd_, POLLIN, 0}, {signals, POLLIN, 0}, {carrier_.get(), POLLOUT, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return false;
        if (entries[0].revents != 0) return false;
        if (entries[1].revents != 0 && io_.signals->take().value_or(SIGWINCH) != SIGWINCH) {
            return false;
        }
    }
    return true;
}

}  // namespace alca::flow
