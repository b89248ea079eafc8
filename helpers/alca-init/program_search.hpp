#pragma once

#include "string_list.hpp"

namespace alca::init {

// Why a program could not be started.
struct ExecFailure {
    int error = 0;                     // errno
    bool has_bad_interpreter = false;  // ENOENT, though the file itself is there
};

// Replaces this process by `name`: a path, or a name to look for in the PATH of `environment` (not
// our own). Unlike execvp(3) it does not hand a file without #! to a shell, and a directory of PATH
// that may not be searched does not turn "not found" into "permission denied". Returns only on
// failure.
[[nodiscard]] ExecFailure exec_program(const char* name, const StringList& arguments,
                                       const StringList& environment);

}  // namespace alca::init
