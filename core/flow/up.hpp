// core/flow/up.hpp - what `alca up` means.
#ifndef ALCA_CORE_FLOW_UP_HPP
#define ALCA_CORE_FLOW_UP_HPP

#include "core/config/config.hpp"
#include "core/flow/context.hpp"

namespace alca::flow {

struct UpOptions {
    bool force = false;              // -f: rebuild without asking when the configuration changed
    bool trust = false;              // --trust or ALCA_TRUST=1: approve the powers asked for
    bool allow_unprotected = false;  // go on where protection is missing, and say so
};

// Brings the project's sandbox up and proves that it is isolated. Order: everything is validated,
// then approvals, network, rules, container, start, verification from inside, set-up command. On
// error or cancellation nothing that this call made is left, and a later call needs no `down`.
// Takes the project's lock; waits for another alca with a message.
[[nodiscard]] Result<void> up(const Context& context, const config::Config& config,
                              const UpOptions& options);

}  // namespace alca::flow

#endif
