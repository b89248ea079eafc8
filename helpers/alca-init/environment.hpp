#pragma once

#include <cstdint>
#include <string_view>

#include "bytes.hpp"
#include "string_list.hpp"

namespace alca::init {

// The value of `name` among "NAME=value" strings; nullptr when it is not there.
[[nodiscard]] const char* find_variable(const StringList& environment, std::string_view name);

// Puts "NAME=value", borrowed, in the place of what has the same name, or at the end. False: out of
// memory.
[[nodiscard]] bool set_variable(StringList& environment, char* entry);

// The environment of a command: `own` (the engine's, null-terminated), overridden by `wanted`, and
// completed by HOME and USER of `uid` from the text of /etc/passwd. An own HOME of "/" counts as
// none: engines set it when they find no home. Results are borrowed from all arguments and
// `storage`. False: out of memory.
[[nodiscard]] bool merge_environment(char* const* own, const StringList& wanted,
                                     std::string_view passwd, std::uint32_t uid, Bytes& storage,
                                     StringList& merged);

}  // namespace alca::init
