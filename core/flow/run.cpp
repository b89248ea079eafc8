#include "core/flow/run.hpp"

#include <fmt/format.h>

#include "core/config/powers.hpp"
#include "core/flow/exec_by_socket.hpp"
#include "core/flow/jobs.hpp"
#include "core/flow/protection.hpp"
#include "core/flow/rules_seen.hpp"
#include "core/flow/run_way.hpp"
#include "core/flow/sandbox_process.hpp"
#include "core/flow/sandbox_spec.hpp"
#include "core/flow/verify_sandbox.hpp"
#include "core/project/lock.hpp"

namespace alca::flow {
namespace {

// For /bin/sh: in single quotes nothing is special but the single quote.
std::string shell_quote(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += R"('\'')";
        } else {
            out.push_back(c);
        }
    }
    out.push_back('\'');
    return out;
}

Result<void> require_running(const Context& context, const project::State& state) {
    const auto status = context.runtime.runtime.status(context.call, make_ref(state));
    if (!status) return fail(status.error(), "failed to get container status");
    if (status->state != SandboxState::absent) {
        if (auto ours = check_ours(*status, state); !ours) return ours;
    }
    if (status->state != SandboxState::running || state.phase != project::Phase::ready) {
        return fail(Code::unavailable, "container is not running: run 'alca up' first");
    }
    if (state.allow_unprotected) return {};
    if (!status->weaknesses.empty() ||
        status->networks != std::vector<std::string>{state.network.name}) {
        return fail("the sandbox is no longer isolated as it was; run: alca status");
    }
    return {};
}

// The rules are one read of the kernel away; an agent is never started without that look.
Result<void> require_rules(const Context& context, const project::State& state) {
    if (state.firewall.plugin.empty()) {
        if (state.allow_unprotected || state.firewall.policy == "open") return {};
        return fail("the sandbox has no network rules; run: alca up");
    }
    if (!state.firewall.settled) {
        return fail("a change of the network rules was not finished; run: alca up");
    }
    if (context.firewall == nullptr || context.firewall->id != state.firewall.plugin) {
        return fail(
            fmt::format("the firewall plugin {} that holds this sandbox is gone; run: alca "
                        "down && alca up",
                        state.firewall.plugin));
    }
    const auto problem = look_before_run(context, state);
    if (!problem) return fail(problem.error());
    if (problem->empty()) return {};
    // Putting them up again is a change, so it is done under the lock and by the state as it is
    // then: a `down` may have come in between.
    const auto lock = project::ProjectLock::acquire(
        context.store, state.directory.path,
        {.wait = true, .cancel_fd = context.call.cancel_fd(), .on_wait = {}});
    if (!lock) return fail(lock.error());
    const auto loaded = context.store.load(state.directory.path);
    if (!loaded) return fail(loaded.error());
    const auto& now = *loaded;
    if (!now.has_value() || now->phase != project::Phase::ready ||
        now->container_id != state.container_id) {
        return fail(Code::unavailable, "container is not running: run 'alca up' first");
    }
    const auto status = context.runtime.runtime.status(context.call, make_ref(*now));
    if (!status) return fail(status.error());
    return keep_rules(context, *now, status->pid);
}

// The configuration lies where the agent can write; what it hands to a command counts as much as at
// `up`.
Result<void> require_approval(const config::Config& config, const project::State& state) {
    const auto fresh = config::unapproved(config::powers(config), state.approved_powers);
    if (fresh.empty()) return {};
    return fail(Code::denied,
                fmt::format("{} asks for powers that you have not approved ({}); run: alca up",
                            config.file.string(), fresh.front().text));
}

}  // namespace

std::string directory_inside(const config::Config& config, const fs::path& caller_directory) {
    const fs::path relative = caller_directory.lexically_relative(config.project_dir);
    if (relative.empty() || relative == "." || *relative.begin() == "..") return config.workdir;
    return (fs::path(config.workdir) / relative).string();
}

std::vector<std::string> effective_argv(const config::Config& config,
                                        std::vector<std::string> argv) {
    if (argv.empty()) return argv;
    argv = config::with_alias(config, std::move(argv));
    if (config.commands.enter.empty()) return argv;
    std::string text = config.commands.enter;
    for (const std::string& argument : argv) text += " " + shell_quote(argument);
    return {"/bin/sh", "-c", std::move(text)};
}

namespace {

// TERM as somebody wrote it for the sandbox stays as it is.
bool is_term_chosen(const config::Config& config, const RunRequest& request) {
    const auto setting = config.envs.find("TERM");
    const bool is_configured = setting != config.envs.end() && setting->second.position.line != 0;
    return is_configured || request.env.contains("TERM");
}

Result<InsideRequest> make_request(const config::Config& config, const project::State& state,
                                   const Host& host, const RunRequest& request) {
    auto environment = config::enter_environment(config, host.environment);
    if (!environment) return fail(environment.error());
    for (const auto& [name, value] : request.env) (*environment)[name] = value;
    auto user = request.user.empty() ? run_user(config, host) : Result<std::string>(request.user);
    if (!user) return fail(user.error());
    std::string directory = directory_inside(config, request.caller_directory);
    if (!request.workdir.empty()) directory = (fs::path(directory) / request.workdir).string();
    auto argv = request.is_literal ? request.argv : effective_argv(config, request.argv);
    if (request.job) argv = start_job(*request.job, std::move(argv));
    return InsideRequest{.sandbox = make_ref(state),
                         .refused_address = refused_address(state),
                         .user = user->empty() ? state.image_user : *user,
                         .command = {.argv = std::move(argv),
                                     .env = std::move(*environment),
                                     .cwd = std::move(directory),
                                     .tty = request.tty,
                                     .size = request.size,
                                     .adapt_term = !is_term_chosen(config, request)},
                         // Ours has none, whatever the sandbox makes of it.
                         .follows_background = !request.is_literal && !request.job,
                         .on_start = request.on_start};
}

// Through alca-init's own socket. nullopt: that is no way here, and nothing was started.
Result<std::optional<int>> run_by_socket(const Host& host, const Call& call,
                                         const project::State& state, const InsideRequest& request,
                                         const CommandIo& io) {
    auto connection = open_run_socket(host, state);
    auto code = connection ? exec_by_socket(call, std::move(*connection), request, io)
                           : Result<int>(fail(connection.error()));
    const bool is_no_way = !code && (!connection || code.error().code == Code::unsupported);
    if (is_no_way) {
        call.log(LogLevel::info, fmt::format("run: through the engine: {}", code.error().message));
        return std::nullopt;
    }
    if (!code) return fail(code.error());
    call.log(LogLevel::info, "run: by the socket of the sandbox");
    return *code;
}

}  // namespace

Result<std::optional<int>> run_without_engine(const Host& host, const Call& call,
                                              const config::Config& config,
                                              const project::State& state, RunRequest& request,
                                              const CommandIo& io) {
    if (const std::string reason = why_engine_is_asked(host, state); !reason.empty()) {
        call.log(LogLevel::info, fmt::format("run: the engine is asked: {}", reason));
        return std::nullopt;
    }
    if (auto approved = require_approval(config, state); !approved) return fail(approved.error());
    const auto inside = make_request(config, state, host, request);
    if (!inside) return fail(inside.error());
    request.has_tried_socket = true;
    return run_by_socket(host, call, state, *inside, io);
}

Result<int> run(const Context& context, const config::Config& config, const project::State& state,
                const RunRequest& request, const CommandIo& io) {
    if (auto approved = require_approval(config, state); !approved) return fail(approved.error());
    if (auto running = require_running(context, state); !running) return fail(running.error());
    const auto stamp = rules_stamp(state);
    if (auto rules = require_rules(context, state); !rules) return fail(rules.error());
    if (stamp && state.firewall.host && state.firewall.here && !is_layer_chosen(context.host)) {
        note_rules_seen(context.host, state, *stamp);
    }
    const auto inside = make_request(config, state, context.host, request);
    if (!inside) return fail(inside.error());
    if (!request.has_tried_socket && is_running_unchanged(state)) {
        auto code = run_by_socket(context.host, context.call, state, *inside, io);
        if (!code) return fail(code.error());
        const std::optional<int>& ran = *code;
        if (ran.has_value()) return *ran;
    }
    if (inside->on_start) {
        if (auto started = inside->on_start(); !started) return fail(started.error());
    }
    return exec_inside(context.runtime.runtime, context.call, *inside, io);
}

}  // namespace alca::flow
