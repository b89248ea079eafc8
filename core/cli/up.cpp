#include "core/flow/up.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "core/cli/command.hpp"
#include "core/cli/session.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

struct UpFlags {
    bool quiet = false;
    flow::UpOptions options;
};

int up(Program& program, const UpFlags& flags) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, flags.quiet, interrupt->cancel_fd());
    session.console().step("Loading config from .alca.toml");
    const auto project = open_project(session);
    if (!project) return report(project.error());
    const auto context = (*project)->context(session);
    if (!context) return report(context.error());
    session.console().step("Detected runtime: " + (*project)->runtime.id);

    flow::UpOptions options = flags.options;
    const auto trust = program.environment.find("ALCA_TRUST");
    options.trust = options.trust || (trust != program.environment.end() && trust->second == "1");
    const auto done = flow::up(*context, (*project)->config, options);
    if (!done) return report(done.error());
    return exit_ok;
}

}  // namespace

void add_up(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("up", "Start this project's sandbox, isolated and verified");
    auto flags = std::make_shared<UpFlags>();
    command->add_flag("-q,--quiet", flags->quiet, "No progress; security messages stay");
    command->add_flag("-f,--force", flags->options.force,
                      "Rebuild without asking when the configuration has changed");
    command->add_flag("--trust", flags->options.trust,
                      "Approve the powers that the configuration asks for (also ALCA_TRUST=1)");
    command->add_flag("--allow-unprotected", flags->options.allow_unprotected,
                      "Go on where isolation is not possible; `alca status` shows it");
    command->footer(
        "Examples:\n"
        "  alca up            start it, or see that it still is as it must be\n"
        "  alca up -f         take over a changed .alca.toml\n"
        "  alca up -q && alca run claude");
    command->callback(
        [&program, flags] { program.command = [&program, flags] { return up(program, *flags); }; });
}

}  // namespace alca::cli
