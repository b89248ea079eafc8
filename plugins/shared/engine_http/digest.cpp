#include "plugins/shared/engine_http/digest.hpp"

#include <sha2.h>

#include <array>
#include <cstdint>

namespace alca::engine_http {

std::string sha256_hex(std::string_view text) {
    std::array<char, SHA256_DIGEST_STRING_LENGTH> hex{};
    const void* bytes = text.data();
    SHA256Data(static_cast<const std::uint8_t*>(bytes), text.size(), hex.data());
    return hex.data();
}

}  // namespace alca::engine_http
