#include "memory_kills.hpp"

#include <limits>

#include "bytes.hpp"
#include "files.hpp"
#include "text.hpp"

namespace alca::init {

std::uint64_t count_memory_kills(std::string_view text) {
    static constexpr std::string_view kKey = "oom_kill ";
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (!line.starts_with(kKey)) continue;
        return parse_number(line.substr(kKey.size()), std::numeric_limits<std::uint64_t>::max())
            .value_or(0);
    }
    return 0;
}

std::uint64_t count_memory_kills() {
    constexpr std::size_t kMaxBytes = 4096;
    for (const char* path :
         {"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"}) {
        Bytes text;
        if (read_file(path, kMaxBytes, text)) return count_memory_kills(text.view());
    }
    return 0;
}

}  // namespace alca::init
