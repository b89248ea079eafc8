#include "core/project/setuid_files.hpp"

#include <sys/stat.h>

#include <system_error>

#include "core/project/state.hpp"

namespace alca::project {
namespace {

constexpr std::size_t kMaxPaths = 20;

bool gives_rights(const fs::path& path, std::string_view since) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    return (info.st_mode & (S_ISUID | S_ISGID)) != 0 && rfc3339(info.st_ctime) >= since;
}

}  // namespace

SetuidFiles find_setuid_files(const fs::path& root, std::string_view since,
                              std::chrono::milliseconds limit) {
    using Iterator = fs::recursive_directory_iterator;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    SetuidFiles found;
    std::error_code error;
    for (Iterator it(root, fs::directory_options::skip_permission_denied, error);
         !error && it != Iterator(); it.increment(error)) {
        if (found.paths.size() == kMaxPaths || std::chrono::steady_clock::now() > deadline) {
            found.complete = false;
            break;
        }
        if (gives_rights(it->path(), since)) found.paths.push_back(it->path());
    }
    if (error) found.complete = false;
    return found;
}

}  // namespace alca::project
