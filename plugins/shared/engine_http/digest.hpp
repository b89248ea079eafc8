// plugins/shared/engine_http/digest.hpp - SHA-256, by libmd.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_DIGEST_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_DIGEST_HPP

#include <string>
#include <string_view>

namespace alca::engine_http {

// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace alca::engine_http

#endif
