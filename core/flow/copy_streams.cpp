#include "core/flow/copy_streams.hpp"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/config/text.hpp"

namespace alca::flow {
namespace {

constexpr std::uint64_t kLinksNamed = 10;
constexpr std::size_t kMaxLineBytes = 4096;

}  // namespace

ssize_t WatchedSource::read(char* at, std::size_t count) {
    while (true) {
        std::array<pollfd, 2> entries{{{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        if (entries[0].revents == 0) return 0;
        const ssize_t got = ::read(fd_, at, count);
        if (got >= 0 || errno != EINTR) return got;
    }
}

WatchedSink::WatchedSink(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd), part_bytes_(1U << 20U) {
    struct stat info{};
    // A pipe that polls as writable takes so much without waiting; waiting would miss the stop.
    if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) part_bytes_ = PIPE_BUF;
}

bool WatchedSink::fail(int error) {
    if (error_ == 0) error_ = error;
    errno = error;
    return false;
}

bool WatchedSink::write(const char* data, std::size_t count) {
    while (count > 0) {
        std::array<pollfd, 2> entries{{{fd_, POLLOUT, 0}, {stop_fd_, POLLIN, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return fail(errno);
        }
        if (entries[1].revents != 0) return fail(ECANCELED);
        const ssize_t written = ::write(fd_, data, std::min(count, part_bytes_));
        if (written < 0 && errno != EINTR && errno != EAGAIN) return fail(errno);
        if (written <= 0) continue;
        data += written;
        count -= static_cast<std::size_t>(written);
    }
    return true;
}

void read_lines(WatchedSource& source, const std::function<void(std::string_view)>& tell) {
    std::string line;
    std::array<char, 4096> buffer{};
    const auto flush = [&] {
        if (!line.empty()) tell(config::printable(line));
        line.clear();
    };
    while (true) {
        const ssize_t count = source.read(buffer.data(), buffer.size());
        if (count <= 0) break;
        for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(count))) {
            if (c == '\n') {
                flush();
            } else if (line.size() < kMaxLineBytes) {
                line.push_back(c);
            }
        }
    }
    flush();
}

void HostReport::tell_line(std::string_view line) {
    constexpr std::string_view kProgram = "alca-init: ";
    if (line.starts_with(kProgram)) line.remove_prefix(kProgram.size());
    if (!is_silent_) listener_.problem(fmt::format("in the sandbox: {}", line));
}

void HostReport::failed(std::string_view path, std::string_view why) {
    if (is_silent_) return;
    if (path.empty()) {
        whole_failure_ = config::printable(why);
        return;
    }
    listener_.problem(fmt::format("{}: {}", config::printable(path), config::printable(why)));
}

void HostReport::skipped(std::string_view path) {
    listener_.note(fmt::format("{}: left out, it is a special file", config::printable(path)));
}

void HostReport::lost_bits(std::string_view path) {
    if (!has_lost_bits_) {
        listener_.note(fmt::format(
            "{}: copied without its set-user-ID, set-group-ID or sticky bit, as are all others "
            "that have one",
            config::printable(path)));
    }
    has_lost_bits_ = true;
}

void HostReport::leads_out(std::string_view path, std::string_view target) {
    if (++links_ > kLinksNamed) return;
    listener_.note(fmt::format("{}: a link that leads out of the destination, to {}",
                               config::printable(path), config::printable(target)));
}

void HostReport::tell_rest() {
    if (links_ <= kLinksNamed) return;
    listener_.note(fmt::format("{} more links lead out of the destination", links_ - kLinksNamed));
}

void HostReport::copied_entry() { listener_.progress(++files_, bytes_); }

void HostReport::copied_bytes(std::size_t count) {
    bytes_ += count;
    listener_.progress(files_, bytes_);
}

}  // namespace alca::flow
