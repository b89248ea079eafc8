#pragma once

#include <span>

namespace alca::init {

// `alca-init verify [--probe ADDRESS]...`: prints what this process can see of its own isolation,
// one fact a line (docs/reference/run-protocol.md). Exit code: 0, 1 when something could not be
// read, 2 for wrong usage.
[[nodiscard]] int run_verify(std::span<char* const> arguments);

}  // namespace alca::init
