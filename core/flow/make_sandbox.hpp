// core/flow/make_sandbox.hpp - makes, starts and proves one sandbox; and takes it all away again.
#ifndef ALCA_CORE_FLOW_MAKE_SANDBOX_HPP
#define ALCA_CORE_FLOW_MAKE_SANDBOX_HPP

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/flow/protection.hpp"
#include "core/project/state.hpp"

namespace alca::flow {

struct MakeRequest {
    const config::Config& config;
    const Protection& protection;
    bool allow_unprotected = false;
};

// network -> rules -> create -> start -> verify from inside -> commands.up. The state is saved
// before each step that makes something, so that a crash leaves a true note. On error everything
// made is removed again and the state says so.
[[nodiscard]] Result<void> make_sandbox(const Context& context, const MakeRequest& request,
                                        project::State& state);

// Starts a sandbox that exists but does not run. `status`, the engine's account of it, is checked
// first; then rules, start, and the same look from inside as for a new one. commands.up is not run
// again. What a sandbox was once allowed to lack stays in the state. On error it does not run.
[[nodiscard]] Result<void> start_sandbox(const Context& context, const MakeRequest& request,
                                         const SandboxStatus& status, project::State& state);

// Removes container, network and rules, in this order; what is absent is success. Volumes stay.
// Saves the state with phase absent.
[[nodiscard]] Result<void> remove_sandbox(const Context& context, const Call& call,
                                          project::State& state);

}  // namespace alca::flow

#endif
