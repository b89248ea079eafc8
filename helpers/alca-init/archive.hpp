#pragma once

#include <span>

namespace alca::init {

// `alca-init archive` and `alca-init extract`: the inner half of `alca cp`, see
// docs/reference/run-protocol.md. They work as the user that they are started as, and trust
// neither the tree nor the stream.
[[nodiscard]] int run_archive(std::span<char* const> arguments);
[[nodiscard]] int run_extract(std::span<char* const> arguments);

}  // namespace alca::init
