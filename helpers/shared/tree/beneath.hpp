#pragma once

#include <cstdint>

#include "helpers/shared/tree/fd.hpp"

namespace alca::tree {

// How far a path may lead.
enum class Reach {
    anywhere,  // as open(2) does it
    beneath,   // links are followed as long as nothing leaves the directory
    no_links,  // nor is any link followed: for whatever a hostile side may have put there
};

// open(2) of `path` relative to `directory`, which may be AT_FDCWD, with O_CLOEXEC; mode 0. Nothing
// can be swapped in between: the kernel checks each step (openat2(2), Linux 5.6; another system
// opens name by name, O_NOFOLLOW each). Not open: errno says why, EXDEV for a path that leaves,
// ELOOP for a link where there may be none.
[[nodiscard]] Fd open_in(int directory, const char* path, int flags, Reach reach);

}  // namespace alca::tree
