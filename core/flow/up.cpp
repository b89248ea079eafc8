#include "core/flow/up.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/flow/approve.hpp"
#include "core/flow/make_sandbox.hpp"
#include "core/flow/protection.hpp"
#include "core/flow/sandbox_process.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/verify_sandbox.hpp"
#include "core/project/copy.hpp"
#include "core/project/drift.hpp"
#include "core/project/lock.hpp"

namespace alca::flow {
namespace {

Result<project::State> load_state(const Context& context, const fs::path& project) {
    const auto directory = project::look_at(project);
    if (!directory) return fail(directory.error());
    auto placement = context.store.place(*directory);
    if (!placement) return fail(placement.error(), "failed to load state");
    using Kind = project::Placement::Kind;
    if (placement->kind == Kind::fresh) return project::make_state(*directory);
    auto& state = placement->state;
    if (placement->kind == Kind::same && state.has_value()) return std::move(*state);
    return fail(project::misplaced(*placement, *directory));
}

// An engine, once chosen, is kept: moving a sandbox to another one is the user's explicit act.
Result<void> check_runtime(const config::Config& config, const project::State& state) {
    const std::string& wanted = config.runtime;
    if (state.phase == project::Phase::absent || wanted == "auto" || state.runtime == wanted ||
        state.runtime == "runtime-" + wanted) {
        return {};
    }
    return fail(
        fmt::format("this project's sandbox was made by {}; run 'alca down' before changing "
                    "to {}",
                    state.runtime, wanted));
}

bool is_within(const fs::path& path, const fs::path& directory) {
    return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first ==
           directory.end();
}

// What another sandbox can write could be exchanged between our look at it and the engine's: no
// project, and no source of a mount, may lie in a project that is up, nor the other way round.
Result<void> check_neighbours(const Context& context, const config::Config& config) {
    const auto listing = context.store.list();
    if (!listing) return fail(listing.error());
    for (const project::State& other : listing->states) {
        const fs::path& theirs = other.directory.path;
        if (other.phase == project::Phase::absent || theirs == config.project_dir) continue;
        bool overlaps = is_within(theirs, config.project_dir);
        for (const config::MountSetting& setting : config.mounts) {
            const std::string& source = setting.mount.source;
            overlaps = overlaps || (!source.empty() && is_within(source, theirs));
        }
        if (!overlaps) continue;
        return fail(Code::denied,
                    fmt::format("the sandbox of {} can write where this one takes its files from; "
                                "run 'alca down' there first",
                                theirs.string()));
    }
    return {};
}

// Protection that is missing stops here, before anything is made, unless the user said otherwise.
Result<Protection> require_protection(const Context& context, const config::Config& config,
                                      const project::EngineState& engine, bool allow_unprotected) {
    auto protection = find_protection(context, config, engine);
    if (!protection || protection->missing.empty()) return protection;
    if (!allow_unprotected) {
        return fail(Code::denied,
                    fmt::format("network isolation is not possible: {}; nothing was started "
                                "(alca up --allow-unprotected starts without it)",
                                protection->missing));
    }
    context.ui.warn(
        fmt::format("UNPROTECTED: this sandbox can reach your local network and this host: {}",
                    protection->missing));
    return protection;
}

// True: make it anew.
bool wants_rebuild(const Context& context, const config::Config& config, bool force,
                   const project::State& state) {
    const auto changes = project::drift(state.applied_config, config::applied_form(config));
    if (changes.empty()) return false;
    if (force) {
        context.ui.step("Configuration changed, rebuilding container (-f)");
        return true;
    }
    context.ui.notice("Configuration has changed since last container creation:");
    for (const project::Change& change : changes) {
        context.ui.notice(fmt::format("  {}", project::to_line(change)));
    }
    if (context.ui.confirm("Rebuild container with new configuration?").value_or(false))
        return true;
    context.ui.notice("Keeping existing container. Run 'alca up -f' to rebuild.");
    return false;
}

// Other rules than before are put up; the same ones are looked at.
Result<void> update_rules(const Context& context, const Protection& protection,
                          const SandboxStatus& status, project::State& state) {
    project::FirewallState wanted =
        firewall_state(context, protection, state.firewall, status.effective.ports);
    if (wanted == state.firewall) return keep_rules(context, state, status.pid);
    if (state.firewall.inside && !wanted.inside) {
        if (auto down = take_down_inside(context, state, status.pid); !down) return down;
    }
    state.firewall = std::move(wanted);
    // Saved first: after a crash the rules must be found and taken down, and nothing may start
    // while one layer is the old one still.
    state.firewall.settled = false;
    if (auto saved = context.store.save(state); !saved) return saved;
    if (state.firewall.host) {
        if (auto up = put_up_rules(context, state, FirewallLayer::host); !up) return up;
    }
    if (state.firewall.inside) {
        auto up = put_up_rules(context, state, FirewallLayer::inside, status.pid);
        if (!up) return up;
    }
    state.firewall.settled = true;
    return {};
}

// A sandbox that runs: its rules and joints are looked at again, and restored where that is
// possible.
Result<void> keep_running(const Context& context, const MakeRequest& request,
                          const SandboxStatus& status, project::State& state) {
    std::vector<std::string> problems = status.weaknesses;
    if (status.networks != std::vector<std::string>{state.network.name}) {
        problems.emplace_back("it is joined to another network than its own");
    }
    const bool allowed = request.allow_unprotected || state.allow_unprotected;
    if (auto good = judge(context, problems, allowed, state); !good) {
        return fail(good.error(), "run 'alca down && alca up' to make the sandbox anew");
    }
    const Protection& protection = request.protection;
    if (protection.has_rules()) {
        if (auto kept = update_rules(context, protection, status, state); !kept) return kept;
    } else {
        // Rules of an earlier run may be there still: their plugin stays named, the policy is the
        // new one. Those inside hold an open sandbox back, and no later run would take them away.
        const bool is_open = protection.policy == NetworkPolicy::open;
        if (is_open && state.firewall.inside) {
            if (auto down = take_down_inside(context, state, status.pid); !down) return down;
            state.firewall.inside = false;
        }
        state.firewall.policy = to_string(protection.policy);
        state.firewall.settled = true;
        if (!protection.missing.empty()) note_unprotected(state, protection.missing);
    }
    // Another one, after a restart by hand, whose network and rules have just been looked at.
    if (state.engine.shares_kernel) {
        state.process = look_at_process(status.pid, state.container_id);
    }
    context.ui.step(fmt::format("Container already running: {}", state.container_name));
    return context.store.save(state);
}

// What the engine is. Not asked again (it takes Docker half the time of an `up` that finds all as
// it must be) while the sandbox that it made is there.
Result<void> look_at_engine(const Context& context, const SandboxStatus& status,
                            project::State& state) {
    const bool is_known = !state.engine.name.empty() && !status.container_id.empty() &&
                          status.container_id == state.container_id;
    if (is_known) return {};
    const auto probe = context.runtime.runtime.probe(context.call);
    if (!probe) return fail(probe.error());
    if (!probe->available) return fail(Code::unavailable, probe->reason);
    state.engine = engine_state(*probe);
    return {};
}

Result<SandboxStatus> find_sandbox(const Context& context, const project::State& state) {
    auto status = context.runtime.runtime.status(context.call, make_ref(state));
    if (!status) return fail(status.error(), "failed to get container status");
    if (status->state != SandboxState::absent) {
        if (auto ours = check_ours(*status, state); !ours) return fail(ours.error());
    }
    return status;
}

Result<void> bring_up(const Context& context, const MakeRequest& request,
                      const SandboxStatus& status, bool force, project::State& state) {
    const bool whole = state.phase == project::Phase::ready &&
                       status.state != SandboxState::absent &&
                       status.state != SandboxState::unknown;
    const bool started_before = state.phase != project::Phase::absent;
    if (whole && !wants_rebuild(context, request.config, force, state)) {
        if (status.state == SandboxState::paused) {
            return fail(Code::unavailable,
                        fmt::format("container {} is paused; unpause it, or run: alca down",
                                    state.container_name));
        }
        if (status.state == SandboxState::running) {
            return keep_running(context, request, status, state);
        }
        return start_sandbox(context, request, status, state);
    }
    if (started_before || status.state != SandboxState::absent) {
        context.ui.step(whole ? "Removing existing container for rebuild"
                              : "Removing what an interrupted run has left");
        // Removal, once begun, is finished; whoever cancels is heard by the next step.
        const UncancellableCall call(context.call);
        if (auto removed = remove_sandbox(context, call, state); !removed) {
            return fail(removed.error(), "cannot remove the old sandbox (run: alca down)");
        }
    }
    return make_sandbox(context, request, state);
}

}  // namespace

Result<void> up(const Context& context, const config::Config& config, const UpOptions& options) {
    if (auto sources = config::check_mount_sources(config); !sources) return sources;
    if (auto environment = config::creation_environment(config, context.host.environment);
        !environment) {
        return fail(environment.error());
    }
    if (auto writable = project::check_copy(config.project_dir); !writable) return writable;

    const auto lock = project::ProjectLock::acquire(
        context.store, config.project_dir,
        {.wait = true, .cancel_fd = context.call.cancel_fd(), .on_wait = [&context] {
             context.ui.warn("another alca is working on this project; waiting for it");
         }});
    if (!lock) return fail(lock.error());
    auto state = load_state(context, config.project_dir);
    if (!state) return fail(state.error());
    if (auto same = check_runtime(config, *state); !same) return same;
    if (auto same = check_plugins(context, *state); !same) return same;
    if (auto apart = check_neighbours(context, config); !apart) return apart;
    if (auto approved = approve(context, config, options.trust, *state); !approved) return approved;
    const auto status = find_sandbox(context, *state);
    if (!status) return fail(status.error());
    if (auto known = look_at_engine(context, *status, *state); !known) return known;
    const auto protection =
        require_protection(context, config, state->engine, options.allow_unprotected);
    if (!protection) return fail(protection.error());

    const MakeRequest request{.config = config,
                              .protection = *protection,
                              .allow_unprotected = options.allow_unprotected};
    if (auto done = bring_up(context, request, *status, options.force, *state); !done) return done;
    // The sandbox is ready whether or not there is a copy for scripts, and what runs in it can have
    // put anything in the copy's place by now.
    if (auto copied = project::write_copy(*state, state->engine.name); !copied) {
        context.ui.warn(copied.error().message);
    }
    if (state->allow_unprotected) {
        context.ui.warn(fmt::format("UNPROTECTED sandbox: {}", state->unprotected_reason));
    }
    context.ui.success("Environment ready");
    return {};
}

}  // namespace alca::flow
