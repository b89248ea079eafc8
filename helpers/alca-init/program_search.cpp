#include "program_search.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "bytes.hpp"
#include "environment.hpp"

namespace alca::init {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

ExecFailure try_program(const char* path, const StringList& arguments,
                        const StringList& environment) {
    ::execve(path, arguments.data(), environment.data());
    ExecFailure failure{.error = errno, .has_bad_interpreter = false};
    const bool is_there = ::faccessat(AT_FDCWD, path, F_OK, 0) == 0;
    if (failure.error == ENOENT) failure.has_bad_interpreter = is_there;
    // The file cannot be seen: a part of the path may not be searched.
    if (failure.error == EACCES && !is_there && errno == EACCES) failure.error = ENOENT;
    return failure;
}

bool is_not_here(const ExecFailure& failure) {
    return !failure.has_bad_interpreter && (failure.error == ENOENT || failure.error == ENOTDIR);
}

}  // namespace

ExecFailure exec_program(const char* name, const StringList& arguments,
                         const StringList& environment) {
    const std::string_view wanted(name);
    if (wanted.find('/') != std::string_view::npos) {
        ::execve(name, arguments.data(), environment.data());
        const int error = errno;
        return {
            .error = error,
            .has_bad_interpreter = error == ENOENT && ::faccessat(AT_FDCWD, name, F_OK, 0) == 0};
    }
    ExecFailure best{.error = ENOENT, .has_bad_interpreter = false};
    if (wanted.empty()) return best;
    const char* set_path = find_variable(environment, "PATH");
    std::string_view rest = set_path == nullptr ? kDefaultPath : std::string_view(set_path);
    for (bool is_last = false; !is_last;) {
        const std::size_t end = rest.find(':');
        is_last = end == std::string_view::npos;
        const std::string_view directory = rest.substr(0, end);
        if (!is_last) rest.remove_prefix(end + 1);
        Bytes path;
        // An empty part of PATH is the working directory.
        if (!path.append(directory.empty() ? "." : directory) || !path.append("/") ||
            !path.append(wanted) || !path.append(std::string_view("\0", 1)))
            return {.error = ENOMEM, .has_bad_interpreter = false};
        const ExecFailure failure = try_program(path.data(), arguments, environment);
        if (is_not_here(failure)) continue;
        // What may not be run here may be runnable in a later directory.
        if (failure.error != EACCES && failure.error != ENOENT) return failure;
        best = failure;
    }
    return best;
}

}  // namespace alca::init
