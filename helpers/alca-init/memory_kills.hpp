#pragma once

#include <cstdint>
#include <string_view>

namespace alca::init {

// How many processes the kernel has killed because the sandbox's memory limit was reached, since
// that began. 0 also where the kernel does not tell.
[[nodiscard]] std::uint64_t count_memory_kills();
// The same of the text of memory.events (cgroup v2) or memory.oom_control (v1).
[[nodiscard]] std::uint64_t count_memory_kills(std::string_view text);

}  // namespace alca::init
