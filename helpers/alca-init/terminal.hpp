#pragma once

#include "fd.hpp"
#include "frame.hpp"

namespace alca::init {

// Both ends of a pseudo terminal. `master` does not block.
struct Terminal {
    Fd master;
    Fd slave;
};

// Opens one with the given size. False: errno says why.
[[nodiscard]] bool open_terminal(WindowSize window, Terminal& terminal);

// Programs in the foreground get SIGWINCH when the size changes.
void set_window(int master, WindowSize window);

// The byte that means end of input on this terminal, Ctrl-D unless a program changed it.
[[nodiscard]] char end_of_file_byte(int master);

}  // namespace alca::init
