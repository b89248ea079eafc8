// plugins/shared/engine_http/base64.hpp - the two forms of base64 that registries use.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_BASE64_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_BASE64_HPP

#include <optional>
#include <string>
#include <string_view>

namespace alca::engine_http {

// RFC 4648 section 5 (- and _), padded.
[[nodiscard]] std::string base64url_encode(std::string_view bytes);
// RFC 4648 section 4 (+ and /), padding optional; nullopt for anything else.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace alca::engine_http

#endif
