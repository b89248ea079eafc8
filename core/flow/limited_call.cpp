#include "core/flow/limited_call.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <cerrno>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return fd >= 0 && ::poll(&entry, 1, 0) == 1;
}

bool watch(const os::Fd& epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Result<LimitedCall> LimitedCall::make(const Call& call, std::chrono::seconds limit) {
    os::Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    os::Fd either(::epoll_create1(EPOLL_CLOEXEC));
    itimerspec when{};
    when.it_value.tv_sec = limit.count();
    if (!timer || !either || ::timerfd_settime(timer.get(), 0, &when, nullptr) != 0 ||
        !watch(either, timer.get()) ||
        (call.cancel_fd() >= 0 && !watch(either, call.cancel_fd()))) {
        return fail("cannot set a time limit: " + os::errno_text(errno));
    }
    return LimitedCall(call, std::move(timer), std::move(either));
}

bool LimitedCall::is_expired() const {
    return is_readable(timer_.get()) && !is_readable(call_->cancel_fd());
}

}  // namespace alca::flow
