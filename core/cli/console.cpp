#include "core/cli/console.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "core/config/text.hpp"
#include "core/os/file.hpp"

namespace alca::cli {
namespace {

constexpr std::chrono::milliseconds kRedrawInterval{100};

std::string amount(std::uint64_t value, const std::string& unit) {
    if (unit != "bytes") return fmt::format("{} {}", value, unit);
    constexpr double kMega = 1e6;
    return fmt::format("{:.1f} MB", static_cast<double>(value) / kMega);
}

std::string describe(const Progress& progress) {
    if (progress.unit.empty()) return progress.step;
    if (progress.total == 0) {
        return fmt::format("{}: {}", progress.step, amount(progress.done, progress.unit));
    }
    return fmt::format("{}: {} of {} ({} %)", progress.step, amount(progress.done, progress.unit),
                       amount(progress.total, progress.unit), 100 * progress.done / progress.total);
}

// One line of the terminal, without its newline. nullopt: end of input, or cancel_fd is readable.
std::optional<std::string> read_line(int cancel_fd) {
    std::string line;
    while (true) {
        std::array<pollfd, 2> entries{{{STDIN_FILENO, POLLIN, 0}, {cancel_fd, POLLIN, 0}}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return std::nullopt;
        if (entries[1].revents != 0) return std::nullopt;
        if (entries[0].revents == 0) continue;
        char c = 0;
        const ssize_t count = ::read(STDIN_FILENO, &c, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return std::nullopt;
        if (c == '\n') return line;
        line.push_back(c);
    }
}

bool write_raw(int fd, std::string_view text) { return os::write_all(fd, text).has_value(); }

// Each line of `text`, printable.
std::string safe(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out += config::printable(text.substr(0, end));
        if (end < text.size()) out.push_back('\n');
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace

bool print(std::string_view text) { return write_raw(STDOUT_FILENO, safe(text)); }

void print_error(std::string_view text) {
    write_raw(STDERR_FILENO, safe(fmt::format("alca: {}\n", text)));
}

Console::Console(bool quiet, int cancel_fd)
    : quiet_(quiet), cancel_fd_(cancel_fd), terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Console::step(std::string_view text) { line(fmt::format("→ {}\n", text)); }

void Console::success(std::string_view text) { line(fmt::format("✓ {}\n", text)); }

void Console::notice(std::string_view text) { line(fmt::format("{}\n", text)); }

void Console::warn(std::string_view text) {
    const std::lock_guard lock(mutex_);
    end_progress_line();
    print_error(text);
}

std::optional<bool> Console::confirm(std::string_view question) {
    if (::isatty(STDIN_FILENO) != 1) return std::nullopt;
    const std::lock_guard lock(mutex_);
    end_progress_line();
    // Asked on stderr: with -q, or with stdout in a file, the question must still be seen.
    write_raw(STDERR_FILENO, safe(fmt::format("{} [y/N] ", question)));
    const std::string answer = read_line(cancel_fd_).value_or("");
    return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes" || answer == "YES";
}

void Console::show(const Progress& progress) {
    if (quiet_) return;
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const bool new_step = !progress.step.empty() && progress.step != progress_step_;
    if (new_step) {
        end_progress_line();
        progress_step_ = progress.step;
        progress_tenth_ = 0;
    }
    Progress shown = progress;
    shown.step = progress_step_;
    if (terminal_) {
        if (!new_step && !progress.finished && now - progress_shown_ < kRedrawInterval) return;
        write_raw(STDOUT_FILENO, fmt::format("\r\x1b[K→ {}", safe(describe(shown))));
        progress_open_ = true;
        progress_shown_ = now;
        if (progress.finished) end_progress_line();
        return;
    }
    const std::uint64_t tenth = progress.total == 0 ? 0 : 10 * progress.done / progress.total;
    if (!new_step && !progress.finished && tenth <= progress_tenth_) return;
    progress_tenth_ = tenth;
    print(fmt::format("→ {}\n", describe(shown)));
}

void Console::line(std::string_view text) {
    if (quiet_) return;
    const std::lock_guard lock(mutex_);
    end_progress_line();
    print(text);
}

void Console::end_progress_line() {
    if (progress_open_) print("\n");
    progress_open_ = false;
}

}  // namespace alca::cli
