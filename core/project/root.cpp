#include "core/project/root.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "alca/json.hpp"
#include "core/os/file.hpp"

namespace alca::project {
namespace {

bool has_config(const fs::path& directory) {
    struct stat info{};
    return ::stat((directory / kConfigFile).c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

// State, labels and requests are JSON, so the path has to survive a way through it.
bool fits_json(const fs::path& path) {
    const Json before(path.string());
    return Json::parse(dump(before), nullptr, false) == before;
}

}  // namespace

Result<Directory> look_at(const fs::path& directory) {
    std::error_code error;
    const fs::path real = fs::canonical(directory, error);
    struct stat info{};
    if (error || ::stat(real.c_str(), &info) != 0) {
        const int number = error ? error.value() : errno;
        const Code code = number == ENOENT || number == ENOTDIR ? Code::not_found
                          : number == EACCES || number == EPERM ? Code::denied
                                                                : Code::failed;
        return fail(code, fmt::format("{}: {}", directory.string(), os::errno_text(number)));
    }
    if (!S_ISDIR(info.st_mode)) {
        return fail(Code::invalid, fmt::format("{}: not a directory", directory.string()));
    }
    if (!fits_json(real)) {
        return fail(Code::invalid, fmt::format("{}: the path is not UTF-8; rename the directory",
                                               dump(Json(real.string()))));
    }
    return Directory{real, info.st_dev, info.st_ino};
}

Result<Directory> find_root(const fs::path& start) {
    auto here = look_at(start);
    if (!here) return here;
    for (fs::path directory = here->path;; directory = directory.parent_path()) {
        if (has_config(directory)) return look_at(directory);
        if (directory == directory.parent_path()) break;
    }
    return fail(Code::not_found, "configuration not found: run 'alca init' first");
}

}  // namespace alca::project
