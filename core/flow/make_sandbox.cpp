#include "core/flow/make_sandbox.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <system_error>

#include "core/flow/exec_inside.hpp"
#include "core/flow/rules_seen.hpp"
#include "core/flow/run_socket.hpp"
#include "core/flow/sandbox_process.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/seccomp_profile.hpp"
#include "core/flow/verify_sandbox.hpp"

namespace alca::flow {
namespace {

// The engine follows a symlink in a mount's source when it starts a container. A source inside the
// project can have become one since it was approved; now that nothing of ours runs it cannot change
// again.
Result<void> check_sources(const SandboxSpec& spec) {
    for (const Mount& mount : spec.mounts) {
        if (mount.source.empty()) continue;
        std::error_code error;
        const fs::path now = fs::canonical(mount.source, error);
        if (error || now != fs::path(mount.source)) {
            return fail(Code::denied,
                        fmt::format("the source of the mount at {} is not what was approved: {}",
                                    mount.target, mount.source));
        }
    }
    return {};
}

// What a sandbox that exists must still be. It keeps the configuration that it was made from, also
// when the file says something else by now; what no configuration decides is not taken from it.
SandboxSpec spec_of_existing(const SandboxStatus& status, const project::State& state) {
    SandboxSpec spec = status.effective;
    spec.name = state.container_name;
    spec.no_new_privileges = true;
    spec.seccomp = seccomp_profile(spec.capabilities);  // of this version of alca
    spec.network.name = state.network.name;
    spec.network.interface = state.network.interface;
    return spec;
}

class Maker {
  public:
    Maker(const Context& context, const MakeRequest& request, project::State& state)
        : context_(context), request_(request), state_(state) {}

    Result<void> make() {
        auto made = chain({[this] { return prepare(); }, [this] { return put_up(); },
                           [this] { return create(); }, [this] { return start_and_verify(); },
                           [this] { return set_up(); }, [this] { return finish(); }});
        if (made) tell_owner_of_new_files();
        return made;
    }

    Result<void> start_again(const SandboxStatus& status) {
        note_missing_protection();
        spec_ = spec_of_existing(status, state_);
        image_volumes_ = status.image_volumes;
        // May have been removed, and the engine would not start without it.
        if (auto made = make_run_directory(context_.host, state_); !made) {
            return fail(made.error());
        }
        if (auto good = check_sources(spec_); !good) return good;
        gateways_ = state_.network.gateways;
        const auto problems = check_effective(status, spec_);
        if (auto good = judge(context_, problems, request_.allow_unprotected, state_); !good) {
            return good;
        }
        note_rules();
        if (auto saved = context_.store.save(state_); !saved) return saved;
        return chain({[this] { return put_up(); }, [this] { return start_and_verify(); },
                      [this] { return finish(); }});
    }

  private:
    static Result<void> chain(std::initializer_list<std::function<Result<void>()>> steps) {
        for (const auto& step : steps) {
            if (auto done = step(); !done) return done;
        }
        return {};
    }

    Result<SandboxSpec> build_spec() {
        const auto program = keep_init_program(context_.host);
        if (!program) return fail(program.error());
        // What an earlier sandbox has left there is not for this one.
        static_cast<void>(remove_run_directory(context_.host, state_));
        const auto run_directory = make_run_directory(context_.host, state_);
        if (!run_directory) return fail(run_directory.error());
        return make_spec(request_.config, state_, context_.host, *program, *run_directory);
    }

    void note_missing_protection() {
        const std::string& missing = request_.protection.missing;
        if (!missing.empty()) note_unprotected(state_, missing);
    }

    // Before they are put up: after a crash they must be found and taken down.
    void note_rules() {
        const Protection& protection = request_.protection;
        // Without rules of this run those from before may be there: their plugin is still named.
        state_.firewall.policy = to_string(protection.policy);
        // A start makes a new namespace: what was inside the old one has ended with it.
        if (!protection.has_rules()) state_.firewall.inside = false;
        if (protection.has_rules()) {
            state_.firewall = firewall_state(context_, protection, state_.firewall, spec_.ports);
        }
    }

    // Saves once, before anything is made: all names are known then, and by those it is removed
    // again after a crash.
    Result<void> prepare() {
        state_.phase = project::Phase::preparing;
        state_.runtime = context_.runtime.id;
        state_.container_id.clear();
        state_.created_at = project::rfc3339_now();
        state_.applied_config = config::applied_form(request_.config);
        note_missing_protection();
        auto spec = build_spec();
        if (!spec) return fail(spec.error());
        spec_ = std::move(*spec);
        note_rules();
        if (auto saved = context_.store.save(state_); !saved) return saved;

        context_.ui.step(fmt::format("Preparing image and network: {}", spec_.image));
        auto prepared = context_.runtime.runtime.prepare(context_.call, spec_);
        if (!prepared) return fail(prepared.error());
        if (prepared->network.interface != spec_.network.interface) {
            return fail(fmt::format("the engine named the network's interface {} instead of {}",
                                    prepared->network.interface, spec_.network.interface));
        }
        gateways_ = prepared->network.gateways;
        state_.image_user = prepared->image.user;
        state_.network.gateways = gateways_;
        return {};
    }

    Result<void> put_up() {
        const Protection& protection = request_.protection;
        if (!protection.has_rules() || !state_.firewall.host) return {};
        context_.ui.step("Putting up network rules");
        return put_up_rules(context_, state_, FirewallLayer::host);
    }

    Result<void> create() {
        context_.ui.step(fmt::format("Creating container: {}", spec_.name));
        if (auto good = check_sources(spec_); !good) return good;
        auto created = context_.runtime.runtime.create(context_.call, spec_);
        if (!created) return fail(created.error());
        state_.container_id = created->container_id;
        if (auto saved = context_.store.save(state_); !saved) return saved;
        const auto status = context_.runtime.runtime.status(context_.call, make_ref(state_));
        if (!status) return fail(status.error());
        if (auto ours = check_ours(*status, state_); !ours) return ours;
        image_volumes_ = status->image_volumes;
        return judge(context_, check_effective(*status, spec_), request_.allow_unprotected, state_);
    }

    Result<void> start_and_verify() {
        if (auto started = context_.runtime.runtime.start(context_.call, make_ref(state_));
            !started) {
            return started;
        }
        // Nothing of the image runs yet: process 1 is ours. So each layer can be seen by itself:
        // the rules inside would stop a packet before those of the host could.
        const bool rules = request_.protection.has_rules();
        const bool inside = rules && state_.firewall.inside;
        const bool host = rules && state_.firewall.host;
        if (host || !inside) {
            if (auto good = verify(/*inside=*/false); !good) return good;
        }
        if (inside) {
            if (auto up = put_up_inside(); !up) return up;
        }
        if (inside && !host) {
            if (auto good = verify(/*inside=*/true); !good) return good;
        }
        if (rules && request_.protection.policy == NetworkPolicy::internet) {
            const Ways& ways = request_.protection.ways;
            context_.ui.step(fmt::format(
                "Network isolation enabled: {}",
                describe(ways.host, state_.firewall.inside ? ways.inside : std::nullopt)));
        }
        return {};
    }

    Result<void> put_up_inside() {
        context_.ui.step("Putting up network rules inside the sandbox");
        const auto status = context_.runtime.runtime.status(context_.call, make_ref(state_));
        if (!status) return fail(status.error());
        if (status->pid == 0 && request_.protection.ways.inside == Way::direct &&
            state_.firewall.host) {
            context_.ui.warn(
                "the engine does not tell which process the sandbox is: its network rules are in "
                "one "
                "layer only, that of the host");
            state_.firewall.inside = false;
            return context_.store.save(state_);
        }
        auto up = put_up_rules(context_, state_, FirewallLayer::inside, status->pid);
        if (!up) return up;
        // The process that was entered is still the sandbox's: no other can have had its number.
        const auto again = context_.runtime.runtime.status(context_.call, make_ref(state_));
        if (!again) return fail(again.error());
        if (again->state == SandboxState::running && again->pid == status->pid &&
            again->started_at == status->started_at) {
            pid_ = again->pid;
            return {};
        }
        return fail("the sandbox ended while its network rules were put up; see: docker logs " +
                    state_.container_name);
    }

    Result<void> verify(bool inside) {
        context_.ui.step("Verifying isolation from inside");
        const Protection& protection = request_.protection;
        const Expectation expectation{
            .spec = spec_,
            .gateways = gateways_,
            .image_volumes = image_volumes_,
            .isolated = protection.has_rules() && protection.policy == NetworkPolicy::internet,
            .inside = inside};
        auto problems = verify_from_inside(context_, make_ref(state_), expectation);
        if (!problems && request_.allow_unprotected && problems.error().code != Code::cancelled) {
            problems = std::vector<std::string>{problems.error().message};
        }
        if (!problems) return fail(problems.error());
        return judge(context_, *problems, request_.allow_unprotected, state_);
    }

    // With a rootful engine root inside is root of the host for the files of a bind mount.
    void tell_owner_of_new_files() {
        const std::string& user =
            request_.config.user.empty() ? state_.image_user : request_.config.user;
        const bool root_inside = user.empty() || user == "0" || user == "root";
        if (!root_inside || context_.host.uid == 0) return;
        context_.ui.notice(
            "Files that are made inside will belong to root; to own them yourself, set user = "
            "\"host\" in .alca.toml");
    }

    Result<void> set_up() {
        const std::string& text = request_.config.commands.up;
        if (text.empty() || config::is_keepalive(text)) return {};
        state_.phase = project::Phase::created;
        if (auto saved = context_.store.save(state_); !saved) return saved;
        context_.ui.step("Running setup command");
        const auto user = host_user(context_.host, request_.config.project_dir);
        if (!user) return fail(user.error());
        InsideRequest command{.sandbox = make_ref(state_),
                              .refused_address = refused_address(state_),
                              .user = "0:0",
                              .command = {.argv = {"/bin/sh", "-c", text},
                                          .env = {{"ALCA_UID", fmt::format("{}", user->uid)},
                                                  {"ALCA_GID", fmt::format("{}", user->gid)}},
                                          .cwd = request_.config.workdir,
                                          .tty = false,
                                          .size = {}}};
        const auto code = exec_inside(context_.runtime.runtime, context_.call, command,
                                      {.in = -1, .out = STDOUT_FILENO, .err = STDERR_FILENO});
        if (!code) return fail(code.error(), "commands.up");
        if (*code != 0) {
            return fail(
                fmt::format("up command failed with exit code {}; see its output above", *code));
        }
        return {};
    }

    // The process is noted here, as the rules inside are: only now is it the one that was verified.
    Result<void> finish() {
        state_.phase = project::Phase::ready;
        state_.process = {};
        if (state_.engine.shares_kernel && pid_ == 0) {
            const auto status = context_.runtime.runtime.status(context_.call, make_ref(state_));
            if (!status) return fail(status.error());
            pid_ = status->pid;
        }
        if (state_.engine.shares_kernel) {
            state_.process = look_at_process(pid_, state_.container_id);
        }
        return context_.store.save(state_);
    }

    const Context& context_;
    const MakeRequest& request_;
    project::State& state_;
    SandboxSpec spec_;
    std::vector<std::string> gateways_;
    std::vector<std::string> image_volumes_;
    std::int64_t pid_ = 0;  // of process 1, once known
};

// The first error is the one that matters; what could not be undone is told beside it.
void undo(const Context& context, project::State& state) {
    const UncancellableCall call(context.call);
    if (auto removed = remove_sandbox(context, call, state); !removed) {
        context.ui.warn(fmt::format("not everything could be removed again; run: alca down ({})",
                                    removed.error().message));
    }
}

}  // namespace

Result<void> make_sandbox(const Context& context, const MakeRequest& request,
                          project::State& state) {
    auto made = Maker(context, request, state).make();
    if (!made) undo(context, state);
    return made;
}

Result<void> start_sandbox(const Context& context, const MakeRequest& request,
                           const SandboxStatus& status, project::State& state) {
    context.ui.step(fmt::format("Starting stopped container: {}", state.container_name));
    auto started = Maker(context, request, state).start_again(status);
    if (started) return started;
    const UncancellableCall call(context.call);
    if (auto stopped = context.runtime.runtime.stop(call, make_ref(state)); !stopped) {
        context.ui.warn(fmt::format("the sandbox could not be stopped: {}; run: alca down",
                                    stopped.error().message));
    }
    return started;
}

Result<void> remove_sandbox(const Context& context, const Call& call, project::State& state) {
    const SandboxRef ref = make_ref(state);
    const auto status = context.runtime.runtime.status(call, ref);
    if (!status) return fail(status.error());
    if (status->state != SandboxState::absent) {
        if (auto ours = check_ours(*status, state); !ours) return ours;
    }
    // Also when the container is absent: its network may be there.
    if (auto removed = context.runtime.runtime.remove(call, ref, /*keep_network=*/false);
        !removed) {
        return removed;
    }
    // Last: until the container is gone its rules stay.
    if (auto down = take_down_rules(context, call, state); !down) return down;
    if (!remove_run_directory(context.host, state)) {
        context.ui.warn(fmt::format("what the sandbox has left in {} could not be removed",
                                    (context.host.state_directory / "run").string()));
    }
    forget_rules_seen(context.host, state);
    state.phase = project::Phase::absent;
    state.container_id.clear();
    state.process = {};
    state.firewall = {};
    state.allow_unprotected = false;
    state.unprotected_reason.clear();
    return context.store.save(state);
}

}  // namespace alca::flow
