#include "core/flow/down.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

int down(Program& program, const flow::DownOptions& options) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/false, interrupt->cancel_fd());
    const auto project = open_sandbox(session);
    if (!project) return report(project.error());
    if (*project == nullptr) {
        session.console().step("No state file found. Container may not exist.");
        return exit_ok;
    }
    const auto context = (*project)->context(session);
    if (!context) return report(context.error());
    session.console().step("Using runtime: " + (*project)->runtime.id);
    // The state's own place: the project may have moved since.
    const auto& state = (*project)->state;
    const fs::path& made_at =
        state.has_value() ? state->directory.path : (*project)->directory.path;
    const auto done = flow::down(*context, made_at, options);
    return done ? exit_ok : report(done.error());
}

}  // namespace

void add_down(CLI::App& app, Program& program) {
    auto* command =
        app.add_subcommand("down", "Remove this project's sandbox, its network and its rules");
    auto options = std::make_shared<flow::DownOptions>();
    command->add_flag("--keep", options->keep, "Only stop it; `alca up` starts it again");
    command->footer(
        "The project's files, named volumes and approvals stay. Processes get SIGTERM, and "
        "SIGKILL\n"
        "when they have not ended after `stop_timeout` (.alca.toml; 2 seconds).\n\n"
        "Examples:\n"
        "  alca down\n"
        "  alca down --keep   keep what was installed inside");
    command->callback([&program, options] {
        program.command = [&program, options] { return down(program, *options); };
    });
}

}  // namespace alca::cli
