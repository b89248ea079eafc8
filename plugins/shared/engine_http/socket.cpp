#include "plugins/shared/engine_http/socket.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace alca::engine_http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string errno_text(int error) { return std::generic_category().message(error); }

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return fail(Code::invalid,
                    fmt::format("the path is longer than {} bytes; use a shorter one",
                                sizeof(address.sun_path) - 1));
    }
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    return address;
}

Code code_of_connect(int error) {
    return error == EACCES || error == EPERM ? Code::denied : Code::unavailable;
}

}  // namespace

Wait::Wait(const Call& call, milliseconds timeout)
    : cancel_fd_(call.cancel_fd()), timeout_(timeout), start_(steady_clock::now()) {}

Wait::Wait(milliseconds timeout) : cancel_fd_(-1), timeout_(timeout), start_(steady_clock::now()) {}

// Negative: no limit. Rounded up, so that a poll that ended by time has used it all.
milliseconds Wait::left() const {
    if (timeout_ == milliseconds::zero()) return milliseconds(-1);
    return std::max(milliseconds::zero(),
                    std::chrono::ceil<milliseconds>(start_ + timeout_ - steady_clock::now()));
}

Error Wait::timed_out() const {
    return Error{
        Code::unavailable,
        fmt::format("no answer within {} s",
                    std::chrono::duration_cast<std::chrono::duration<double>>(timeout_).count())};
}

Result<void> Wait::for_events(int fd, short events) const {
    while (true) {
        // poll skips negative descriptors.
        std::array<pollfd, 2> entries{{{cancel_fd_, POLLIN, 0}, {fd, events, 0}}};
        const milliseconds limit = left();
        const int ready = ::poll(entries.data(), entries.size(), static_cast<int>(limit.count()));
        if (ready < 0 && errno != EINTR) return fail("poll: " + errno_text(errno));
        if (ready < 0) continue;
        if (entries[0].revents != 0) return fail(Code::cancelled, "cancelled");
        if (entries[1].revents != 0) return {};
        if (limit == milliseconds::zero()) return fail(timed_out());
    }
}

Result<void> Wait::for_pause(milliseconds pause) const {
    const auto end = steady_clock::now() + pause;
    while (true) {
        const auto rest = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        if (rest <= milliseconds::zero()) return {};
        const milliseconds limit = left();
        if (limit == milliseconds::zero()) return fail(timed_out());
        const milliseconds nap = limit < milliseconds::zero() ? rest : std::min(rest, limit);
        pollfd entry{cancel_fd_, POLLIN, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(nap.count()));
        if (ready < 0 && errno != EINTR) return fail("poll: " + errno_text(errno));
        if (ready > 0) return fail(Code::cancelled, "cancelled");
    }
}

Result<Socket> Socket::connect(const std::string& path, const Wait& wait) {
    auto address = address_of(path);
    if (!address) return fail(address.error());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return fail("socket: " + errno_text(errno));
    const void* raw = &*address;
    while (::connect(fd.get(), static_cast<const sockaddr*>(raw), sizeof(sockaddr_un)) != 0) {
        const int error = errno;
        if (error == EINTR) continue;
        // A unix socket whose queue is full answers EAGAIN and offers nothing to poll for.
        if (error != EAGAIN) return fail(code_of_connect(error), errno_text(error));
        if (auto waited = wait.for_pause(milliseconds(10)); !waited) return fail(waited.error());
    }
    return Socket(std::move(fd));
}

Result<std::size_t> Socket::read_some(std::span<char> into, const Wait& wait) const {
    while (true) {
        const ssize_t count = ::recv(fd_.get(), into.data(), into.size(), 0);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail(Code::unavailable, errno_text(errno));
        if (auto waited = wait.for_events(fd_.get(), POLLIN); !waited) return fail(waited.error());
    }
}

Result<void> Socket::write_all(std::string_view bytes, const Wait& wait) const {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail(Code::unavailable, errno_text(errno));
        if (auto waited = wait.for_events(fd_.get(), POLLOUT); !waited) return fail(waited.error());
    }
    return {};
}

bool Socket::is_stale() const {
    pollfd entry{fd_.get(), POLLIN | POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) != 0;
}

}  // namespace alca::engine_http
