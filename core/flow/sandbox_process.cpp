#include "core/flow/sandbox_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} * 1024;
constexpr int kFieldsBeforeStart = 19;  // of /proc/PID/stat, between the name and the start

std::string read(std::int64_t pid, std::string_view file) {
    return os::read_file(fmt::format("/proc/{}/{}", pid, file), kMaxBytes).value_or(std::string());
}

// 0: not there.
std::uint64_t start_of(std::int64_t pid) {
    const std::string stat = read(pid, "stat");
    // The name before it may hold anything, but no later field a parenthesis.
    std::size_t at = stat.rfind(')');
    if (at == std::string::npos) return 0;
    ++at;
    for (int field = 0; field < kFieldsBeforeStart && at != std::string::npos; ++field) {
        at = stat.find(' ', at + 1);
    }
    if (at == std::string::npos) return 0;
    std::uint64_t started = 0;
    std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), started);
    return started;
}

// Two lines of heads, then "  name: numbers".
std::vector<std::string> interfaces_of(std::int64_t pid) {
    const std::string text = read(pid, "net/dev");
    std::vector<std::string> names;
    for (std::size_t line = 0, at = 0; at < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view row = std::string_view(text).substr(at, end - at);
        at = end + 1;
        const std::size_t first = row.find_first_not_of(' ');
        const std::size_t colon = row.find(':');
        if (line < 2 || first == std::string_view::npos || colon == std::string_view::npos)
            continue;
        names.emplace_back(row.substr(first, colon - first));
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

project::ProcessState look_at_process(std::int64_t pid, const std::string& container_id) {
    if (pid <= 0 || container_id.empty()) return {};
    project::ProcessState process{
        .pid = pid, .started = start_of(pid), .interfaces = interfaces_of(pid)};
    // Read last: what was read before is this container's, unless the number changed hands twice.
    const bool is_its = read(pid, "cgroup").find(container_id) != std::string::npos;
    if (!is_its || process.started == 0 || process.interfaces.empty()) return {};
    return process;
}

bool is_running_unchanged(const project::State& state) {
    return state.process.pid != 0 &&
           look_at_process(state.process.pid, state.container_id) == state.process;
}

}  // namespace alca::flow
