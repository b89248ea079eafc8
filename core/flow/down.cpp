#include "core/flow/down.hpp"

#include <fmt/format.h>

#include "core/flow/layers.hpp"
#include "core/flow/make_sandbox.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/verify_sandbox.hpp"
#include "core/project/lock.hpp"
#include "core/project/setuid_files.hpp"

namespace alca::flow {
namespace {

Result<void> stop_only(const Context& context, project::State& state) {
    const auto status = context.runtime.runtime.status(context.call, make_ref(state));
    if (!status) return fail(status.error());
    if (status->state == SandboxState::absent) return {};
    if (auto ours = check_ours(*status, state); !ours) return ours;
    return context.runtime.runtime.stop(context.call, make_ref(state));
}

// Whatever runs inside cannot make more of them now, and they stay behind.
void warn_of_setuid_files(const Context& context, const project::State& state) {
    constexpr std::chrono::seconds kSearch{2};
    constexpr auto kWhat = "it runs with its owner's rights and appeared while the sandbox was up";
    const auto found = project::find_setuid_files(state.directory.path, state.created_at, kSearch);
    for (const fs::path& path : found.paths) {
        context.ui.warn(fmt::format("{} has a set-user-ID or set-group-ID bit: {}; remove it",
                                    path.string(), kWhat));
    }
    if (!found.complete) {
        context.ui.warn("not all of the project was searched for set-user-ID files");
    }
}

// Who cannot take the rules away removes nothing.
Result<void> check_rights(const Context& context, const Call& call, const project::State& state) {
    const bool host_rules = !state.firewall.plugin.empty() && state.firewall.host;
    if (!host_rules || context.firewall == nullptr) return {};
    project::EngineState engine = state.engine;
    if (engine.name.empty()) {  // of an older alca
        const auto probe = context.runtime.runtime.probe(call);
        if (!probe) return fail(probe.error());
        engine = engine_state(*probe);
    }
    const auto ways = find_ways(context.firewall, context.host, call, engine);
    if (!ways) return fail(ways.error());
    if (ways->host) return {};
    return fail(Code::denied, fmt::format("the network rules cannot be removed: {}; nothing was "
                                          "removed",
                                          ways->missing));
}

}  // namespace

Result<void> down(const Context& context, const fs::path& project, const DownOptions& options) {
    const auto lock = project::ProjectLock::acquire(
        context.store, project,
        {.wait = true, .cancel_fd = context.call.cancel_fd(), .on_wait = [&context] {
             context.ui.warn("another alca is working on this project; waiting for it");
         }});
    if (!lock) return fail(lock.error());
    auto loaded = context.store.load(project);
    if (!loaded) return fail(loaded.error(), "failed to load state");
    auto& state = *loaded;
    if (!state.has_value()) {
        context.ui.step("No state file found. Container may not exist.");
        return {};
    }
    if (auto same = check_plugins(context, *state); !same) return same;
    const project::Phase before = state->phase;
    context.ui.step("Stopping container");
    // Removal, once begun, is finished: a half removed sandbox helps nobody. Also when the state
    // says that there is none: an `up` that was killed can have left one under this name.
    const UncancellableCall call(context.call);
    if (auto able = check_rights(context, call, *state); !able) return able;
    auto done = options.keep ? stop_only(context, *state) : remove_sandbox(context, call, *state);
    // With no sandbox in the state an engine that is gone takes nothing with it.
    const bool none_known = before == project::Phase::absent;
    if (!done && none_known && done.error().code == Code::unavailable) return {};
    if (!done) return done;
    if (before != project::Phase::absent) warn_of_setuid_files(context, *state);
    context.ui.success("Container stopped");
    return {};
}

}  // namespace alca::flow
