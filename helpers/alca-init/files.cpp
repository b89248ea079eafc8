#include "files.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace alca::init {

Fd open_at(int directory, const char* path, int flags, unsigned mode) {
    int fd = -1;
    do {
        fd = ::openat(directory, path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return Fd(fd);
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
            ::poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool read_all(int fd, std::size_t limit, Bytes& out) {
    std::array<char, 4096> chunk;
    while (true) {
        const ssize_t count = ::read(fd, chunk.data(), chunk.size());
        if (count == 0) return true;
        if (count < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        const std::string_view bytes(chunk.data(), static_cast<std::size_t>(count));
        if (bytes.size() > limit - std::min(limit, out.size())) {
            errno = EFBIG;
            return false;
        }
        if (!out.append(bytes)) {
            errno = ENOMEM;
            return false;
        }
    }
}

bool read_file(const char* path, std::size_t limit, Bytes& out) {
    const Fd file = open_at(AT_FDCWD, path, O_RDONLY);
    return file.is_open() && read_all(file.get(), limit, out);
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

}  // namespace alca::init
