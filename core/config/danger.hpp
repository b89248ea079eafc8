// core/config/danger.hpp - why giving a path of the host to a sandbox is more than it looks.
#ifndef ALCA_CORE_CONFIG_DANGER_HPP
#define ALCA_CORE_CONFIG_DANGER_HPP

#include <filesystem>
#include <string>

namespace alca::config {

// The reason in plain words, or "" for a path that we know nothing about. Judges the name alone:
// `path` and `home` (may be empty) are absolute with symlinks resolved.
[[nodiscard]] std::string danger(const std::filesystem::path& path,
                                 const std::filesystem::path& home);

// True for `directory` itself and all below it. Both absolute, in normal form.
[[nodiscard]] bool is_within(const std::filesystem::path& path,
                             const std::filesystem::path& directory);

}  // namespace alca::config

#endif
