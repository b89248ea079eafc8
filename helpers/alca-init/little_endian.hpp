#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

namespace alca::init {

// The unsigned number at the front of `bytes`, which holds at least its size.
template <std::unsigned_integral Integer>
[[nodiscard]] Integer read_little_endian(std::string_view bytes) {
    Integer value = 0;
    for (std::size_t i = sizeof(Integer); i > 0; --i)
        value = static_cast<Integer>((value << 8U) | static_cast<unsigned char>(bytes[i - 1]));
    return value;
}

}  // namespace alca::init
