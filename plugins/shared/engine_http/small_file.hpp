// plugins/shared/engine_http/small_file.hpp - reading a configuration or /proc file at once.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_SMALL_FILE_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_SMALL_FILE_HPP

#include <filesystem>
#include <optional>
#include <string>

#include "alca/result.hpp"

namespace alca::engine_http {

// The whole file, at most 4 MiB; nullopt when it does not exist.
// Errors: denied, invalid (larger, or no regular file), failed. The message does not name the file.
[[nodiscard]] Result<std::optional<std::string>> read_small_file(const std::filesystem::path& file);

}  // namespace alca::engine_http

#endif
