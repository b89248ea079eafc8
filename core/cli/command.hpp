// core/cli/command.hpp - what each command file offers to main, and gets from it.
#ifndef ALCA_CORE_CLI_COMMAND_HPP
#define ALCA_CORE_CLI_COMMAND_HPP

#include <filesystem>
#include <functional>
#include <string>

#include "core/config/expand.hpp"
#include "core/os/crash.hpp"

namespace CLI {
class App;
}

namespace alca::cli {

namespace fs = std::filesystem;

enum ExitCode : int {
    exit_ok = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_run_failed = 125,  // `alca run`: alca itself failed, the command did not run
    exit_interrupted = 130,
};

// What main knows before any command runs. Lives until the process ends.
struct Program {
    fs::path prefix;                  // bin/.. of the running program
    config::Environment environment;  // of the process
    os::Breadcrumb& breadcrumb;
    os::TerminalState& terminal;
    int verbosity = 0;
    std::function<int()> command;  // set by the command that was chosen
};

// Each adds one command to `app`; when it is chosen, program.command does it.
void add_init(CLI::App& app, Program& program);
void add_up(CLI::App& app, Program& program);
void add_down(CLI::App& app, Program& program);
void add_run(CLI::App& app, Program& program);
void add_ps(CLI::App& app, Program& program);
void add_logs(CLI::App& app, Program& program);
void add_kill(CLI::App& app, Program& program);
void add_cp(CLI::App& app, Program& program);
void add_status(CLI::App& app, Program& program);
void add_list(CLI::App& app, Program& program);
void add_network(CLI::App& app, Program& program);
void add_network_helper(CLI::App& app, Program& program);
void add_plugins(CLI::App& app, Program& program);
void add_doctor(CLI::App& app, Program& program);
void add_completion(CLI::App& app, Program& program);
void add_help(CLI::App& app, Program& program);

}  // namespace alca::cli

#endif
