// core/flow/sandbox_process.hpp - process 1 of a sandbox, where its kernel is this machine's.
#ifndef ALCA_CORE_FLOW_SANDBOX_PROCESS_HPP
#define ALCA_CORE_FLOW_SANDBOX_PROCESS_HPP

#include <cstdint>
#include <string>

#include "alca/result.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

// What /proc tells about `pid`. pid 0 where that is not the container's process or cannot be read:
// in a virtual machine, or hidden from this user.
[[nodiscard]] project::ProcessState look_at_process(std::int64_t pid,
                                                    const std::string& container_id);

// Whether the process that `up` verified still runs, in the same container and on the same network.
[[nodiscard]] bool is_running_unchanged(const project::State& state);

}  // namespace alca::flow

#endif
