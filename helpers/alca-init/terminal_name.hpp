#pragma once

#include <string_view>

#include "bytes.hpp"
#include "string_list.hpp"

namespace alca::init {

// What TERM should be where the user's terminal is `wanted`: that, if the image's terminfo has it,
// else the nearest relative that it has. An image without terminfo has programs that bring their
// own few names: then one of these. environment: the command's, which names directories. root: put
// before each path, "" but in tests. Borrowed from `wanted`, or static.
[[nodiscard]] std::string_view known_terminal_name(std::string_view wanted,
                                                   const StringList& environment,
                                                   std::string_view root);

// Makes TERM of `environment` what known_terminal_name says. A new one is kept in `storage`, which
// must be empty. False: out of memory.
[[nodiscard]] bool set_known_terminal_name(StringList& environment, Bytes& storage);

}  // namespace alca::init
