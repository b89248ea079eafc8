#include "plugins/shared/engine_http/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "plugins/shared/engine_http/fd.hpp"

namespace alca::engine_http {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20;

tl::unexpected<Error> fail_errno(int error) {
    const Code code = error == EACCES || error == EPERM ? Code::denied : Code::failed;
    return fail(code, std::generic_category().message(error));
}

}  // namespace

Result<std::optional<std::string>> read_small_file(const std::filesystem::path& file) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    if (!fd) return fail_errno(errno);
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) return fail_errno(errno);
    if (!S_ISREG(info.st_mode)) return fail(Code::invalid, "not a regular file");
    std::string text;
    std::array<char, 16384> chunk{};
    while (true) {
        const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno(errno);
        if (count == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(count));
        if (text.size() > kMaxBytes) return fail(Code::invalid, "larger than 4 MiB");
    }
}

}  // namespace alca::engine_http
