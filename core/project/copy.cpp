#include "core/project/copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <cstdio>
#include <string>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::project {
namespace {

constexpr const char* kDirectory = ".alca";
constexpr const char* kFile = "state.json";

tl::unexpected<Error> fail_errno(const fs::path& path, int error_number) {
    const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
    return fail(denied ? Code::denied : Code::failed,
                fmt::format("{}: {}", path.string(), os::errno_text(error_number)));
}

tl::unexpected<Error> not_a_directory(const fs::path& path) {
    return fail(
        Code::invalid,
        fmt::format("{} is not a real directory (a symlink or a file); remove it", path.string()));
}

// .alca itself, whatever a process in the sandbox has put there.
Result<os::Fd> open_directory(const fs::path& project) {
    const fs::path shown = project / kDirectory;
    const os::Fd parent(::open(project.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent) return fail_errno(project, errno);
    if (::mkdirat(parent.get(), kDirectory, 0755) != 0 && errno != EEXIST) {
        return fail_errno(shown, errno);
    }
    os::Fd directory(
        ::openat(parent.get(), kDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory) return directory;
    if (errno == ENOTDIR || errno == ELOOP) return not_a_directory(shown);
    return fail_errno(shown, errno);
}

Result<void> write_new(const os::Fd& directory, const std::string& name, std::string_view text) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const os::Fd fd(::openat(directory.get(), name.c_str(), flags, 0644));
    if (!fd) return fail_errno(name, errno);
    if (auto written = os::write_all(fd.get(), text); !written) return written;
    if (::fchmod(fd.get(), 0644) != 0) return fail_errno(name, errno);
    return {};
}

}  // namespace

Result<void> check_copy(const fs::path& project) {
    const fs::path path = project / kDirectory;
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
        return errno == ENOENT ? Result<void>{} : fail_errno(path, errno);
    }
    return S_ISDIR(info.st_mode) ? Result<void>{} : not_a_directory(path);
}

Result<void> write_copy(const State& state, std::string_view runtime_name) {
    const fs::path shown = state.directory.path / kDirectory / kFile;
    auto directory = open_directory(state.directory.path);
    if (!directory) return fail(directory.error());
    const Json copy{{"project_id", state.project_id},
                    {"container_name", state.container_name},
                    {"runtime", runtime_name},
                    {"created_at", state.created_at}};
    const std::string text = copy.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    // A new name every time: one that can be foreseen could be made to be in the way.
    const std::string temporary =
        fmt::format("{}.{}", kFile, boost::uuids::to_string(boost::uuids::random_generator()()));
    auto done = write_new(*directory, temporary, text);
    if (done && ::renameat(directory->get(), temporary.c_str(), directory->get(), kFile) != 0) {
        done = fail(Code::failed, os::errno_text(errno));
    }
    if (done) return {};
    ::unlinkat(directory->get(), temporary.c_str(), 0);
    return fail(done.error(), shown.string());
}

}  // namespace alca::project
