#include "core/flow/watched_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "core/flow/mover.hpp"
#include "core/os/file.hpp"

namespace alca::flow {
namespace {

void pass_on(Mover mover, int give_up_fd) noexcept {
    while (mover.is_open()) {
        std::array<pollfd, 2> entries{{mover.entry(), {give_up_fd, POLLIN, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
        if (entries[1].revents != 0) return;
        mover.move();
    }
}

}  // namespace

Result<WatchedOutput> WatchedOutput::start(int to, os::TerminalModes& modes, int give_up_fd) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail("cannot make a pipe: " + os::errno_text(errno));
    }
    os::Fd read(ends[0]);
    os::Fd write(ends[1]);
    if (::fcntl(read.get(), F_SETFL, O_NONBLOCK) != 0) {
        return fail("cannot set up a pipe: " + os::errno_text(errno));
    }
    Mover mover(std::move(read), to);
    mover.watch(modes);
    std::jthread thread([mover = std::move(mover), give_up_fd]() mutable {
        pass_on(std::move(mover), give_up_fd);
    });
    return WatchedOutput(std::move(thread), std::move(write));
}

}  // namespace alca::flow
