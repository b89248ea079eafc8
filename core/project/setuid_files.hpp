// core/project/setuid_files.hpp - programs in the project that would run with their owner's rights.
#ifndef ALCA_CORE_PROJECT_SETUID_FILES_HPP
#define ALCA_CORE_PROJECT_SETUID_FILES_HPP

#include <chrono>
#include <filesystem>
#include <string_view>
#include <vector>

namespace alca::project {

namespace fs = std::filesystem;

struct SetuidFiles {
    std::vector<fs::path> paths;  // absolute, as the walk found them; 20 at most
    bool complete = true;         // false: time or the 20 were used up, or a part cannot be read
};

// Regular files below `root` with set-user-ID or set-group-ID whose inode was last changed at
// `since` (RFC 3339, UTC) or later. Root inside a sandbox can make such a file in a bind mount, and
// on the host it would run with the rights of root. Symlinks are not followed.
[[nodiscard]] SetuidFiles find_setuid_files(const fs::path& root, std::string_view since,
                                            std::chrono::milliseconds limit);

}  // namespace alca::project

#endif
