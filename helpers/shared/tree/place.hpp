#pragma once

#include <string_view>

#include "helpers/shared/tree/beneath.hpp"
#include "helpers/shared/tree/path.hpp"

namespace alca::tree {

// Where a copy goes. As `cp` does it: into `directory` under its own name when that exists, else as
// a new name beside what exists.
struct Place {
    Fd directory;                    // exists; opened without a right to read it
    Path top;                        // what the top of the copy becomes in it; "": the directory
    bool must_be_directory = false;  // the top of the copy, since the place was written as one
};

// `path` in `directory` (may be AT_FDCWD) as the place for what is called `name`, "." for the
// content of a directory. False: errno says why.
[[nodiscard]] bool find_place(int directory, const char* path, Reach reach, std::string_view name,
                              Place& place);

}  // namespace alca::tree
