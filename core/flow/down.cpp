#include "core/flow/down.hpp"

#include <fmt/format.h>

#include "core/flow/make_sandbox.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/verify_sandbox.hpp"
#include "core/project/lock.hpp"

namespace alca::flow {
namespace {

Result<void> stop_only(const Context& context, project::State& state) {
    const auto status = context.runtime.runtime.status(context.call, make_ref(state));
    if (!status) return fail(status.error());
    if (status->state == SandboxState::absent) return {};
    if (auto ours = check_ours(*status, state); !ours) return ours;
    return context.runtime.runtime.stop(context.call, make_ref(state));
}

}  // namespace

Result<void> down(const Context& context, const fs::path& project, const DownOptions& options) {
    const auto lock = project::ProjectLock::acquire(
        context.store, project,
        {.wait = true, .cancel_fd = context.call.cancel_fd(), .on_wait = [&context] {
             context.ui.warn("another alca is working on this project; waiting for it");
         }});
    if (!lock) return fail(lock.error());
    auto state = context.store.load(project);
    if (!state) return fail(state.error(), "failed to load state");
    if (!*state || (*state)->phase == project::Phase::absent) {
        context.ui.step("No state file found. Container may not exist.");
        return {};
    }
    context.ui.step("Stopping container");
    // Removal, once begun, is finished: a half removed sandbox helps nobody.
    const UncancellableCall call(context.call);
    auto done = options.keep ? stop_only(context, **state) : remove_sandbox(context, call, **state);
    if (!done) return done;
    context.ui.success("Container stopped");
    return {};
}

}  // namespace alca::flow
