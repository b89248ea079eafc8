// core/flow/down.hpp - what `alca down` means.
#ifndef ALCA_CORE_FLOW_DOWN_HPP
#define ALCA_CORE_FLOW_DOWN_HPP

#include "core/flow/context.hpp"

namespace alca::flow {

struct DownOptions {
    bool keep = false;  // --keep: stop it, remove nothing
};

// Removes the sandbox of `state` with its network and rules. Takes the project's lock. Volumes and
// approvals stay. A sandbox that is gone already is success.
[[nodiscard]] Result<void> down(const Context& context, const fs::path& project,
                                const DownOptions& options);

}  // namespace alca::flow

#endif
