#pragma once

#include <span>

namespace alca::init {

// `alca-init init [--user UID:GID:NAME:HOME [--own DIRECTORY]...] [--grace-ms N]`: PID 1 of a
// sandbox. Prepares the user, then reaps children until a TERM or INT comes from outside the
// sandbox. Exit code: 143 (TERM), 130 (INT), 1 when preparation failed, 2 for wrong usage.
[[nodiscard]] int run_init(std::span<char* const> arguments);

}  // namespace alca::init
