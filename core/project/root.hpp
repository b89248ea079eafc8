// core/project/root.hpp - which project the user is in.
#ifndef ALCA_CORE_PROJECT_ROOT_HPP
#define ALCA_CORE_PROJECT_ROOT_HPP

#include <cstdint>
#include <filesystem>

#include "alca/result.hpp"

namespace alca::project {

namespace fs = std::filesystem;

inline constexpr const char* kConfigFile = ".alca.toml";

// A project directory: `path` is absolute with symlinks resolved; device and inode tell it from
// another directory that is put in its place.
struct Directory {
    fs::path path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

// Looks at a directory as it is now. Errors: not_found, denied, invalid (not a directory, not
// UTF-8).
[[nodiscard]] Result<Directory> look_at(const fs::path& directory);

// The first directory from `start` upward that has a .alca.toml which is not a directory (a symlink
// to a file counts). Errors: not_found: "configuration not found: run 'alca init' first".
[[nodiscard]] Result<Directory> find_root(const fs::path& start);

}  // namespace alca::project

#endif
