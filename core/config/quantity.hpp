// core/config/quantity.hpp - amounts of memory as Docker writes them.
#ifndef ALCA_CORE_CONFIG_QUANTITY_HPP
#define ALCA_CORE_CONFIG_QUANTITY_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "alca/result.hpp"

namespace alca::config {

// "512m", "2g", "1.5 GiB", "1048576": a number, then b, k, m, g, t or p (powers of 1024), then "b"
// or "ib" if you like; upper or lower case. Bytes. Errors: invalid.
[[nodiscard]] Result<std::int64_t> parse_memory(std::string_view text);

// The shortest exact spelling: "2g", "1536m", "1000".
[[nodiscard]] std::string format_memory(std::int64_t bytes);

}  // namespace alca::config

#endif
