// How much memory a parser holds, where AddressSanitizer counts it.
#ifndef ALCA_TESTS_FUZZ_SUPPORT_MEMORY_HPP
#define ALCA_TESTS_FUZZ_SUPPORT_MEMORY_HPP

#include <algorithm>
#include <cstddef>

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the sanitizer's own
extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace alca::fuzz {

class Memory {
  public:
    // Bytes that were allocated since and not freed; 0 without AddressSanitizer.
    [[nodiscard]] std::size_t grown() const {
        const std::size_t present = now();
        return present - std::min(start_, present);
    }

  private:
    [[nodiscard]] static std::size_t now() {
        return __sanitizer_get_current_allocated_bytes == nullptr
                   ? 0
                   : __sanitizer_get_current_allocated_bytes();
    }
    std::size_t start_ = now();
};

}  // namespace alca::fuzz

#endif
