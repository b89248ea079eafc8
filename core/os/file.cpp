#include "core/os/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace alca::os {
namespace {

constexpr std::string_view kSuffix = ".XXXXXX";  // of temporary files; mkostemp fills in the X

Code code_of(int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return Code::not_found;
        case EACCES:
        case EPERM:
        case EROFS:
            return Code::denied;
        case ELOOP:
            return Code::invalid;
        default:
            return Code::failed;
    }
}

tl::unexpected<Error> fail_errno(const fs::path& path, int error_number) {
    return fail(code_of(error_number),
                fmt::format("{}: {}", path.string(), errno_text(error_number)));
}

Result<void> sync_directory(const fs::path& directory) {
    const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return fail_errno(directory, errno);
    return {};
}

// Everything but the rename; the caller removes the temporary file when this fails.
Result<void> fill(const Fd& fd, const fs::path& file, std::string_view content, mode_t mode) {
    if (auto written = write_all(fd.get(), content); !written) {
        return fail(written.error(), file.string());
    }
    if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0) return fail_errno(file, errno);
    return {};
}

// "state.json.a1B2c3" of "state.json": what mkostemp makes of the template below.
bool is_temporary_of(std::string_view name, std::string_view file_name) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if (name.size() != file_name.size() + kSuffix.size() || !name.starts_with(file_name)) {
        return false;
    }
    name.remove_prefix(file_name.size());
    return name[0] == '.' && name.find_first_not_of(kLetters, 1) == std::string_view::npos;
}

}  // namespace

std::string errno_text(int error_number) {
    return std::error_code(error_number, std::generic_category()).message();
}

Result<std::string> read_file(const fs::path& file, std::size_t max_bytes, Follow follow) {
    // O_NONBLOCK: a FIFO in place of the file must not hang us; it is refused below.
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow == Follow::no ? O_NOFOLLOW : 0);
    const Fd fd(::open(file.c_str(), flags));
    if (!fd) return fail_errno(file, errno);
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) return fail_errno(file, errno);
    if (!S_ISREG(info.st_mode)) {
        return fail(Code::invalid, fmt::format("{}: not a regular file", file.string()));
    }
    std::string text;
    char buffer[16384];
    while (true) {
        const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno(file, errno);
        if (count == 0) return text;
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.size() > max_bytes) {
            return fail(Code::invalid, fmt::format("{}: larger than the limit of {} bytes",
                                                   file.string(), max_bytes));
        }
    }
}

Result<void> write_file_atomic(const fs::path& file, std::string_view content, mode_t mode) {
    std::string temporary = file.string().append(kSuffix);
    const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) return fail_errno(file, errno);
    auto done = fill(fd, file, content, mode);
    if (done && ::rename(temporary.c_str(), file.c_str()) != 0) done = fail_errno(file, errno);
    if (!done) {
        ::unlink(temporary.c_str());
        return done;
    }
    return sync_directory(file.parent_path().empty() ? "." : file.parent_path());
}

void remove_stale_temporaries(const fs::path& file, std::chrono::seconds age) {
    const fs::path directory = file.parent_path().empty() ? "." : file.parent_path();
    const auto newest = fs::file_time_type::clock::now() - age;
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        if (!is_temporary_of(name, file.filename().string())) continue;
        std::error_code ignored;
        if (entries->symlink_status(ignored).type() != fs::file_type::regular) continue;
        const auto written = entries->last_write_time(ignored);
        if (!ignored && written < newest) fs::remove(entries->path(), ignored);
    }
}

Result<void> make_directories(const fs::path& directory, mode_t mode) {
    if (::mkdir(directory.c_str(), mode) == 0) return {};
    if (errno == ENOENT && directory.has_parent_path() && directory.parent_path() != directory) {
        if (auto parent = make_directories(directory.parent_path(), mode); !parent) return parent;
        if (::mkdir(directory.c_str(), mode) == 0) return {};
    }
    if (errno != EEXIST) return fail_errno(directory, errno);
    struct stat info{};
    if (::stat(directory.c_str(), &info) != 0) return fail_errno(directory, errno);
    if (!S_ISDIR(info.st_mode)) {
        return fail(Code::invalid, fmt::format("{}: not a directory", directory.string()));
    }
    return {};
}

Result<void> write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t count = ::write(fd, data.data(), data.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(code_of(errno), errno_text(errno));
        data.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace alca::os
