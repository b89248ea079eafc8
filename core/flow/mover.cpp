#include "core/flow/mover.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/os/terminal.hpp"

namespace alca::flow {
namespace {

constexpr std::size_t kSpliceBytes = std::size_t{1} << 20;
// Whoever has written so much writes more. Small pipes cost a change of process each 64 KiB; big
// ones for everybody would soon reach what the kernel lets one user have.
constexpr std::size_t kWideAfterBytes = std::size_t{256} << 10;
constexpr int kWideBytes = 1 << 20;
// PIPE_BUF: a target that polls as writable takes it without waiting.
constexpr std::size_t kCopyBytes = 4096;

}  // namespace

void Mover::watch(os::TerminalModes& modes) {
    modes_ = &modes;
    can_splice_ = false;
    terminal_ = os::open_without_waiting(to_);
    if (terminal_) to_ = terminal_.get();
}

bool Mover::may_write() const {
    pollfd target{.fd = to_, .events = POLLOUT, .revents = 0};
    // An error is for write(2) to tell.
    return to_ < 0 || ::poll(&target, 1, 0) != 0;
}

Mover::Step Mover::refused(int error) {
    if (error == EINTR) return Step::moved;
    if (error == EAGAIN) return Step::blocked;
    if (error != EPIPE) error_ = error;
    return Step::ended;
}

Mover::Step Mover::splice_some(std::size_t& left) {
    const ssize_t count = ::splice(from_.get(), nullptr, to_, nullptr, std::min(left, kSpliceBytes),
                                   SPLICE_F_NONBLOCK);
    if (count > 0) {
        left -= static_cast<std::size_t>(count);
        const bool was_narrow = spliced_ < kWideAfterBytes;
        spliced_ += static_cast<std::size_t>(count);
        if (was_narrow && spliced_ >= kWideAfterBytes) widen();
        return Step::moved;
    }
    if (count == 0) return Step::ended;
    // A terminal, a file that is appended to: they take no pages.
    if (errno == EINVAL) {
        can_splice_ = false;
        return Step::moved;
    }
    if (errno != EAGAIN) return refused(errno);
    return may_write() ? Step::empty : Step::blocked;
}

// Only faster, so it may fail, as it does for a target that is no pipe.
void Mover::widen() const {
    for (const int fd : {from_.get(), to_}) {
        const int bytes = ::fcntl(fd, F_GETPIPE_SZ);
        if (bytes > 0 && bytes < kWideBytes) ::fcntl(fd, F_SETPIPE_SZ, kWideBytes);
    }
}

Mover::Step Mover::copy_some(std::size_t& left) {
    if (rest_.empty()) {
        std::array<char, kCopyBytes> buffer{};
        const ssize_t count = ::read(from_.get(), buffer.data(), std::min(left, buffer.size()));
        if (count == 0) return Step::ended;
        if (count < 0) return errno == EAGAIN ? Step::empty : Step::moved;
        if (to_ < 0) left -= static_cast<std::size_t>(count);
        if (to_ < 0) return Step::moved;
        rest_.assign(buffer.data(), static_cast<std::size_t>(count));
    }
    if (!may_write()) return Step::blocked;
    const ssize_t written = ::write(to_, rest_.data(), rest_.size());
    if (written < 0) return refused(errno);
    if (modes_ != nullptr) modes_->scan({rest_.data(), static_cast<std::size_t>(written)});
    rest_.erase(0, static_cast<std::size_t>(written));
    left -= std::min(left, static_cast<std::size_t>(written));
    return Step::moved;
}

std::size_t Mover::move(std::size_t at_most) {
    is_blocked_ = false;
    std::size_t left = at_most;
    while (from_ && left > 0) {
        const bool splices = can_splice_ && to_ >= 0;
        Step step = Step::blocked;
        if (!splices) step = copy_some(left);
        if (splices && may_write()) step = splice_some(left);
        if (step == Step::moved) continue;
        if (step == Step::ended) from_.reset();
        is_blocked_ = step == Step::blocked;
        break;
    }
    return at_most - left;
}

void Mover::close_if_ended() {
    pollfd source{.fd = from_.get(), .events = POLLIN, .revents = 0};
    if (!from_ || !rest_.empty() || ::poll(&source, 1, 0) <= 0) return;
    if ((source.revents & POLLIN) == 0) from_.reset();
}

std::size_t Mover::waiting() const {
    int bytes = 0;
    if (!from_ || ::ioctl(from_.get(), FIONREAD, &bytes) != 0) bytes = 0;
    return rest_.size() + static_cast<std::size_t>(bytes);
}

pollfd Mover::entry() const {
    if (!from_) return {.fd = -1, .events = 0, .revents = 0};
    if (is_blocked_) return {.fd = to_, .events = POLLOUT, .revents = 0};
    return {.fd = from_.get(), .events = POLLIN, .revents = 0};
}

}  // namespace alca::flow
