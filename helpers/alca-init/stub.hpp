#pragma once

#include <span>

namespace alca::init {

// `alca-init stub`: runs one command for the frames on stdin (docs/reference/run-protocol.md).
// Returns the exit code for the client.
[[nodiscard]] int run_stub(std::span<char* const> arguments);

}  // namespace alca::init
