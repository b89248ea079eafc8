#include "children.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace alca::init {
namespace {

timespec to_timespec(Milliseconds time) {
    return {.tv_sec = time.count() / 1000, .tv_nsec = (time.count() % 1000) * 1'000'000};
}

}  // namespace

Milliseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::chrono::seconds(time.tv_sec) + Milliseconds(time.tv_nsec / 1'000'000);
}

Reaped reap_children(pid_t watched) {
    Reaped reaped;
    while (true) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid > 0 && pid == watched) {
            reaped.has_ended = true;
            reaped.status = status;
        }
        if (pid > 0 || (pid < 0 && errno == EINTR)) continue;
        reaped.has_children = pid == 0;
        return reaped;
    }
}

void block_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

void wait_for_child(Milliseconds time) {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    const timespec timeout = to_timespec(time);
    // Early returns are harmless: every caller looks again.
    ::sigtimedwait(&child, nullptr, &timeout);
}

}  // namespace alca::init
