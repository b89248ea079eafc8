#pragma once

#include <sys/types.h>

#include <chrono>

namespace alca::init {

using Milliseconds = std::chrono::milliseconds;

// Time since boot; never set back. (std::chrono::steady_clock would link the C++ library.)
[[nodiscard]] Milliseconds now();

// What waitpid(2) has to say about all children.
struct Reaped {
    bool has_children = false;  // some are left
    bool has_ended = false;     // the one that was asked for was among those reaped
    int status = 0;             // its wait status
};

// Reaps all children that have ended, without waiting. watched: whose status to keep; -1 for
// nobody.
Reaped reap_children(pid_t watched = -1);

// Blocks every signal; children must reset that. They are then taken by signalfd(2) or
// sigwaitinfo(2).
void block_signals();

// Waits until a child ends, at most `time`. SIGCHLD is blocked.
void wait_for_child(Milliseconds time);

}  // namespace alca::init
