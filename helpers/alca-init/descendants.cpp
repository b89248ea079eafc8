#include "descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "bytes.hpp"
#include "children.hpp"
#include "files.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr Milliseconds kTermAfter{500};
constexpr Milliseconds kKillAfter{1500};
constexpr Milliseconds kGiveUpAfter{5000};
constexpr Milliseconds kRound{20};
constexpr std::uint64_t kMaxPid = std::numeric_limits<pid_t>::max();

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    bool is_below = false;
};

// The fourth field of /proc/PID/stat. The second is a name in brackets and may hold brackets and
// blanks itself.
std::optional<pid_t> parse_parent(std::string_view stat) {
    static constexpr std::string_view kState = " S ";
    const std::size_t bracket = stat.rfind(')');
    if (bracket == std::string_view::npos || stat.size() < bracket + 1 + kState.size())
        return std::nullopt;
    const std::string_view rest = stat.substr(bracket + 1 + kState.size());
    const std::optional<std::uint64_t> parent =
        parse_number(rest.substr(0, rest.find(' ')), kMaxPid);
    if (!parent) return std::nullopt;
    return static_cast<pid_t>(*parent);
}

std::optional<pid_t> read_parent(int proc, std::string_view pid) {
    Text path;
    path.set({pid, "/stat"});
    const Fd file = open_at(proc, path.c_str(), O_RDONLY);
    Bytes stat;
    if (!file.is_open() || !read_all(file.get(), 4096, stat)) return std::nullopt;
    return parse_parent(stat.view());
}

// All processes of /proc, as an array of Process. What ends meanwhile is left out.
Bytes list_processes() {
    Bytes list;
    DIR* proc = ::opendir("/proc");
    if (proc == nullptr) return list;
    while (const dirent* entry = ::readdir(proc)) {
        const std::string_view name(static_cast<const char*>(entry->d_name));
        const std::optional<std::uint64_t> pid = parse_number(name, kMaxPid);
        if (!pid) continue;
        const std::optional<pid_t> parent = read_parent(::dirfd(proc), name);
        if (!parent) continue;
        const Process process{
            .pid = static_cast<pid_t>(*pid), .parent = *parent, .is_below = false};
        // Out of memory: those found are ended now, the others in the next round.
        if (!list.append({reinterpret_cast<const char*>(&process), sizeof process})) break;
    }
    ::closedir(proc);
    return list;
}

bool has_parent_below(std::span<const Process> processes, const Process& process, pid_t top) {
    if (process.parent == top) return true;
    for (const Process& other : processes) {
        if (other.is_below && other.pid == process.parent) return true;
    }
    return false;
}

}  // namespace

void signal_descendants(int signal) {
    Bytes list = list_processes();
    const std::span<Process> processes(reinterpret_cast<Process*>(list.data()),
                                       list.size() / sizeof(Process));
    const pid_t self = ::getpid();
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (Process& process : processes) {
            if (process.is_below || !has_parent_below(processes, process, self)) continue;
            process.is_below = true;
            has_changed = true;
        }
    }
    for (const Process& process : processes) {
        if (process.is_below) ::kill(process.pid, signal);
    }
}

void end_descendants(Ending ending) {
    const Milliseconds start = now();
    int last_signal = 0;
    // An orphan becomes our child, so no child left means nothing left.
    while (reap_children().has_children) {
        const Milliseconds elapsed = now() - start;
        if (elapsed >= kGiveUpAfter) return;
        int signal = SIGKILL;
        if (ending == Ending::gentle && elapsed < kKillAfter)
            signal = elapsed < kTermAfter ? SIGHUP : SIGTERM;
        // KILL again and again: a process may have forked between the look and the signal.
        if (signal != last_signal || signal == SIGKILL) signal_descendants(signal);
        last_signal = signal;
        wait_for_child(kRound);
    }
}

}  // namespace alca::init
