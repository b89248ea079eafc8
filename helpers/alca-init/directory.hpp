#pragma once

#include <cstdint>
#include <string_view>

#include "fd.hpp"
#include "text.hpp"

namespace alca::init {

// True for "/a/b": absolute, no "." or ".." part, no control character and no colon (it must fit
// into /etc/passwd).
[[nodiscard]] bool is_plain_path(std::string_view path);

// Makes sure that directory `path` below the open directory `root` exists and belongs to uid:gid,
// contents untouched. Missing parts are created with mode 0755, parents as root. Given away is only
// what was created here or belongs to root; never a symbolic link, another user's directory, or a
// system directory that holds something. Safe to repeat. False: `fault` says what to do.
[[nodiscard]] bool own_directory(int root, std::string_view path, std::uint32_t uid,
                                 std::uint32_t gid, Text& fault);

}  // namespace alca::init
