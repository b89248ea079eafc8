#include "core/project/setuid_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/project/state.hpp"

namespace alca::project {
namespace {

constexpr std::size_t kMaxPaths = 20;

void look_at(const fs::path& path, std::string_view since, SetuidFiles& found) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
        if (errno != ENOENT) found.complete = false;  // such as a path that is too long
        return;
    }
    // The walk passes such a directory by without a word; others may still run what is in it.
    if (S_ISDIR(info.st_mode) &&
        ::faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) != 0) {
        found.complete = false;
    }
    const bool gives_rights = S_ISREG(info.st_mode) && (info.st_mode & (S_ISUID | S_ISGID)) != 0;
    if (gives_rights && rfc3339(info.st_ctime) >= since) found.paths.push_back(path);
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
        look_at(it->path(), since, found);
    }
    if (error) found.complete = false;
    return found;
}

}  // namespace alca::project
