#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/cli/command.hpp"
#include "core/cli/inside.hpp"
#include "core/cli/session.hpp"
#include "core/os/signals.hpp"
#include "core/os/terminal.hpp"

namespace alca::cli {
namespace {

struct RunFlags {
    bool no_tty = false;
    bool detach = false;
    std::string name;
    std::vector<std::string> env;
    std::string user;
    std::string workdir;
    std::vector<std::string> argv;
};

// Everything that goes wrong on our side is 125, so that it cannot be taken for the command's own
// code.
int report_run(const Error& error) {
    const int code = report(error);
    return code == exit_interrupted ? code : exit_run_failed;
}

constexpr int kExitKilled = 128;  // from here on: by a signal

// The terminal in raw mode, known to the crash handler for as long as it is raw.
class CommandTerminal {
  public:
    explicit CommandTerminal(os::TerminalState& state) : state_(state) {}
    CommandTerminal(const CommandTerminal&) = delete;
    CommandTerminal& operator=(const CommandTerminal&) = delete;
    ~CommandTerminal() {
        raw_.reset();
        state_.active = false;
    }

    [[nodiscard]] Result<void> enter() {
        auto raw = os::RawTerminal::enter(STDIN_FILENO);
        if (!raw) return fail(raw.error());
        raw_.emplace(std::move(*raw));
        state_.fd = STDIN_FILENO;
        state_.saved = raw_->saved();
        state_.modes = &modes_;
        state_.active = true;
        return {};
    }

    [[nodiscard]] os::TerminalModes& modes() { return modes_; }
    // What a command that was killed has left on would garble everything after it. A terminal that
    // takes nothing is not waited for, and one that is gone needs nothing.
    void undo_modes() const {
        const os::Fd terminal = os::open_without_waiting(STDOUT_FILENO);
        const os::ResetSequence reset = modes_.reset();
        const std::string_view bytes = reset.view();
        const int fd = terminal ? terminal.get() : STDOUT_FILENO;
        if (::write(fd, bytes.data(), bytes.size()) < 0) return;
    }

  private:
    os::TerminalState& state_;
    os::TerminalModes modes_;
    std::optional<os::RawTerminal> raw_;
};

// Killed, lost, or given up: nobody was left to put the terminal in order. 125 is ours.
bool is_abnormal(const Result<int>& code) {
    return !code || *code >= kExitKilled || *code == exit_run_failed;
}

// Raw only while the command runs: before, Ctrl-C must reach us, and after, our messages a sane
// terminal.
Result<int> run_on_terminal(os::TerminalState& state, Session& session, ProjectSession& project,
                            flow::RunRequest request, const os::SignalFd& signals) {
    CommandTerminal terminal(state);
    if (request.tty) request.on_start = [&terminal] { return terminal.enter(); };
    const flow::CommandIo io{.in = request.job ? -1 : STDIN_FILENO,
                             .out = STDOUT_FILENO,
                             .err = STDERR_FILENO,
                             .signals = &signals,
                             .modes = request.tty ? &terminal.modes() : nullptr};
    auto code = run_inside(session, project, std::move(request), io);
    if (is_abnormal(code)) terminal.undo_modes();
    return code;
}

// As docker takes them: NAME=VALUE, or NAME with the caller's own value, and nothing if it has
// none.
Result<std::map<std::string, std::string>> environment_of(const std::vector<std::string>& entries,
                                                          const config::Environment& own) {
    std::map<std::string, std::string> environment;
    for (const std::string& entry : entries) {
        const std::size_t equals = entry.find('=');
        const std::string name = entry.substr(0, equals);
        if (name.empty()) return fail(Code::invalid, "-e needs NAME=VALUE or NAME: " + entry);
        if (equals != std::string::npos) {
            environment[name] = entry.substr(equals + 1);
        } else if (const auto found = own.find(name); found != own.end()) {
            environment[name] = found->second;
        }
    }
    return environment;
}

int run(Program& program, const RunFlags& flags) {
    if (flags.detach && flags.argv.empty()) {
        print_error("-d needs a command: alca run -d COMMAND");
        return exit_usage;
    }
    if (!flags.detach && !flags.name.empty()) {
        print_error("--name is for jobs: alca run -d --name NAME COMMAND");
        return exit_usage;
    }
    // Until the command runs these mean "stop"; from then on they are the command's.
    const auto stop = os::SignalFd::block({SIGINT, SIGTERM, SIGHUP});
    const auto signals =
        os::SignalFd::block({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH});
    if (!stop || !signals) return report_run(stop ? signals.error() : stop.error());
    Session session(program, /*quiet=*/true, stop->fd());
    const auto project = open_for_run(session);
    if (!project) return report_run(project.error());

    auto environment = environment_of(flags.env, program.environment);
    if (!environment) return report_run(environment.error());
    std::error_code error;
    flow::RunRequest request{.argv = flags.argv,
                             .caller_directory = fs::current_path(error),
                             .env = std::move(*environment),
                             .user = flags.user,
                             .workdir = flags.workdir};
    if (flags.detach) request.job = flags.name;
    const auto size = os::window_size(STDIN_FILENO);
    if (!flags.no_tty && !flags.detach && ::isatty(STDIN_FILENO) == 1 &&
        ::isatty(STDOUT_FILENO) == 1) {
        request.tty = true;
        request.size = size.value_or(os::WindowSize{.rows = 24, .cols = 80});
    }
    const auto code = run_on_terminal(program.terminal, session, **project, request, *signals);
    return code ? *code : report_run(code.error());
}

}  // namespace

void add_run(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("run", "Run a command in the sandbox; without one, a shell");
    auto flags = std::make_shared<RunFlags>();
    command->add_flag("-T,--no-tty", flags->no_tty, "Never give the command a terminal");
    command
        ->add_option("-e,--env", flags->env,
                     "NAME=VALUE for the command, or NAME with the value that it has here")
        ->type_name("NAME[=VALUE]")
        ->expected(1)
        ->allow_extra_args(false)  // else the command is taken for more values
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command
        ->add_option("-u,--user", flags->user,
                     "Run it as this user of the sandbox: a name, UID or UID:GID")
        ->type_name("USER");
    command
        ->add_option(
            "-w,--workdir", flags->workdir,
            "Start in this directory of the sandbox; relative to the one that matches yours")
        ->type_name("DIRECTORY");
    command->add_flag("-d,--detach", flags->detach,
                      "Start it as a job, without input, print the job's name and return");
    command->add_option("--name", flags->name, "Name of the job; without, one after the command")
        ->type_name("NAME");
    command->prefix_command();
    command->footer(
        "The command starts in the directory that matches yours, its exit code is alca's.\n"
        "125: alca itself failed; 126: not executable; 127: not found.\n"
        "A job (-d) lives on until it ends, `alca kill` or `alca down`; see `alca ps` and `alca "
        "logs`.\n\n"
        "Examples:\n"
        "  alca run                       a shell\n"
        "  alca run npm test\n"
        "  alca run -e DEBUG=1 -w packages/web npm test\n"
        "  alca run -u root sh\n"
        "  alca run -d --name web npm run dev && alca logs -f web\n"
        "  alca run claude -p 'fix the build'\n"
        "  git diff | alca run -T claude -p 'review this'");
    command->callback([&program, flags, command] {
        flags->argv = command->remaining();
        if (!flags->argv.empty() && flags->argv.front() == "--") {
            flags->argv.erase(flags->argv.begin());
        }
        program.command = [&program, flags] { return run(program, *flags); };
    });
}

}  // namespace alca::cli
