// The entry that libFuzzer calls.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/support/target.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's own
extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* data, std::size_t size) {
    alca::fuzz::one_input(std::string(data, data + size));
    return 0;
}
