#pragma once

#include <span>

namespace alca::init {

// `alca-init job DIRECTORY start|list|log|signal ...`; docs/reference/run-protocol.md describes it.
[[nodiscard]] int run_job(std::span<char* const> arguments);

}  // namespace alca::init
