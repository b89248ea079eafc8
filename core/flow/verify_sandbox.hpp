// core/flow/verify_sandbox.hpp - asks the sandbox itself whether it is isolated.
#ifndef ALCA_CORE_FLOW_VERIFY_SANDBOX_HPP
#define ALCA_CORE_FLOW_VERIFY_SANDBOX_HPP

#include "core/flow/context.hpp"
#include "core/flow/inside.hpp"

namespace alca::flow {

// What is not as it must be, from inside the running sandbox; empty: everything was seen to hold.
// Errors: the question could not be asked, which proves nothing and so must stop the caller.
[[nodiscard]] Result<std::vector<std::string>> verify_from_inside(const Context& context,
                                                                  const SandboxRef& ref,
                                                                  const Expectation& expectation);

// The plugins of `context` are those that `state` names: they were chosen before the project was
// locked, and another alca may have changed it since. Errors: unavailable.
[[nodiscard]] Result<void> check_plugins(const Context& context, const project::State& state);

// The sandbox is the one of `state`: same container, labelled with this project's id and path.
// Errors: invalid (what does not agree).
[[nodiscard]] Result<void> check_ours(const SandboxStatus& status, const project::State& state);

}  // namespace alca::flow

#endif
