#include "core/cli/copy_console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "core/cli/console.hpp"
#include "core/os/file.hpp"

namespace alca::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kWait{1};
constexpr std::chrono::milliseconds kRedrawInterval{100};

}  // namespace

CopyConsole::CopyConsole(bool quiet)
    : shows_progress_(!quiet && ::isatty(STDERR_FILENO) == 1), next_(steady_clock::now() + kWait) {}

CopyConsole::~CopyConsole() { clear_line(); }

void CopyConsole::problem(std::string_view text) {
    const std::lock_guard lock(mutex_);
    clear_line();
    print_error(text);
}

void CopyConsole::progress(std::uint64_t files, std::uint64_t bytes) {
    if (!shows_progress_) return;
    const auto now = steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (now < next_) return;
    constexpr double kMega = 1e6;
    const auto line =
        fmt::format("\r\x1b[K→ {} files, {:.1f} MB", files, static_cast<double>(bytes) / kMega);
    // A terminal that is gone misses nothing.
    static_cast<void>(os::write_all(STDERR_FILENO, line));
    has_line_ = true;
    next_ = now + kRedrawInterval;
}

void CopyConsole::clear_line() {
    if (has_line_) static_cast<void>(os::write_all(STDERR_FILENO, "\r\x1b[K"));
    has_line_ = false;
}

}  // namespace alca::cli
