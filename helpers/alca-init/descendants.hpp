#pragma once

namespace alca::init {

enum class Ending {
    gentle,   // HUP, after 500 ms TERM, after 1500 ms KILL
    at_once,  // KILL
};

// Ends every process below this one, also those in sessions of their own, and reaps them. This
// process must be their subreaper (so that no orphan leaves the tree) and have SIGCHLD blocked.
// Gives up after 5 s: what is left then cannot be ended, such as a process of another user.
void end_descendants(Ending ending);

// Sends `signal` to all of them, once.
void signal_descendants(int signal);

}  // namespace alca::init
