// main builds the objects and nothing else: what a command does is in core/flow, what it is called
// in core/cli.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <memory>
#include <string>

#include "core/cli/command.hpp"
#include "core/cli/command_line.hpp"
#include "core/cli/console.hpp"
#include "core/cli/host.hpp"
#include "core/cli/version.hpp"

namespace {

using alca::cli::Program;

alca::config::Environment read_environment() {
    alca::config::Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

// A caller may have closed 0, 1 or 2: the next file that is opened would get the number, and be
// read as input or written over by output.
void open_standard_descriptors() {
    while (true) {
        const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd > STDERR_FILENO) ::close(fd);
        if (fd < 0 || fd > STDERR_FILENO) return;
    }
}

int run(int argc, char** argv) {
    open_standard_descriptors();
    alca::os::Breadcrumb breadcrumb;
    alca::os::TerminalState terminal;
    const alca::os::CrashHandler crash_handler(breadcrumb, terminal);
    // A reader that has gone away is told by write(2), not by a signal that would skip every
    // clean-up.
    ::signal(SIGPIPE, SIG_IGN);

    Program program{.prefix = alca::cli::program_prefix(),
                    .environment = read_environment(),
                    .breadcrumb = breadcrumb,
                    .terminal = terminal,
                    .verbosity = 0,
                    .command = {}};
    CLI::App app(
        "alca runs AI code agents in a container that sees only the project and cannot reach "
        "the local network or this host",
        "alca");
    // One command: without this `alca help up` would run `up`.
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", alca::cli::version_text(), "Print the version");
    app.footer(
        "Examples:\n"
        "  alca init --preset claude && alca up && alca run claude\n"
        "  alca status\n\n"
        "'alca COMMAND --help' explains a command, 'alca help config' the configuration.");
    alca::cli::add_init(app, program);
    alca::cli::add_up(app, program);
    alca::cli::add_run(app, program);
    alca::cli::add_ps(app, program);
    alca::cli::add_logs(app, program);
    alca::cli::add_kill(app, program);
    alca::cli::add_cp(app, program);
    alca::cli::add_status(app, program);
    alca::cli::add_down(app, program);
    alca::cli::add_list(app, program);
    alca::cli::add_network(app, program);
    alca::cli::add_network_helper(app, program);
    alca::cli::add_plugins(app, program);
    alca::cli::add_doctor(app, program);
    alca::cli::add_completion(app, program);
    alca::cli::add_help(app, program);
    alca::cli::add_verbose(app, program.verbosity);
    alca::cli::use_our_messages(app);
    try {
        auto arguments = alca::cli::without_separator({argv + 1, argv + argc});
        std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? alca::cli::exit_ok : alca::cli::exit_usage;
    }
    if (!program.command) {
        alca::cli::print(app.help());
        return alca::cli::exit_ok;
    }
    const auto debug = program.environment.find("ALCA_DEBUG");
    if (debug != program.environment.end() && !debug->second.empty()) program.verbosity = 2;
    return program.command();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        alca::cli::print_error(error.what());
    } catch (...) {
        alca::cli::print_error("unexpected error");
    }
    return alca::cli::exit_failed;
}
