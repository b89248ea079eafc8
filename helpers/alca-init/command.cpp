#include "command.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "environment.hpp"
#include "files.hpp"
#include "program_search.hpp"
#include "terminal.hpp"
#include "terminal_name.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kMaxPasswdBytes = std::size_t{4} << 20;

// What the child could not do; sent through a pipe that a successful exec closes.
struct ChildFailure {
    enum class Step : std::uint8_t { session, directory, program };
    Step step = Step::session;
    ExecFailure reason;
};

// What the child runs.
struct Program {
    const char* path = nullptr;
    StringList arguments;
    StringList environment;
    Bytes storage;
    Bytes terminal_name;
};

int fail(std::initializer_list<std::string_view> message, int exit_code = kExitOwnFailure) {
    complain("alca", message);
    return exit_code;
}

// Fills in the image's best shell. The name is the shell's own, without a dash: login files are not
// for `alca run`.
int choose_shell(Program& program) {
    // Not const: argv is made of char*.
    static char bash[] = "bash";
    static char sh[] = "sh";
    const bool has_bash = ::access("/bin/bash", X_OK) == 0;
    if (!has_bash && ::access("/bin/sh", X_OK) != 0)
        return fail({"the image has no shell (/bin/bash or /bin/sh); name a command to run"},
                    kExitNotFound);
    if (!program.arguments.reserve(1)) return fail({"out of memory; raise the memory limit"});
    program.path = has_bash ? "/bin/bash" : "/bin/sh";
    program.arguments.add(has_bash ? static_cast<char*>(bash) : static_cast<char*>(sh));
    return 0;
}

int prepare_program(const ExecRequest& request, Program& program) {
    Bytes passwd;
    // Without the file there is no home to find, which is the image's business.
    static_cast<void>(read_file("/etc/passwd", kMaxPasswdBytes, passwd));
    if (!merge_environment(environ, request.environment, passwd.view(), ::getuid(), program.storage,
                           program.environment) ||
        (request.adapts_term &&
         !set_known_terminal_name(program.environment, program.terminal_name)))
        return fail({"out of memory; raise the memory limit"});
    if (request.arguments.size() == 0) return choose_shell(program);
    if (!program.arguments.reserve(request.arguments.size()))
        return fail({"out of memory; raise the memory limit"});
    for (char* argument : request.arguments.items()) program.arguments.add(argument);
    program.path = request.arguments.items().front();
    return 0;
}

void reset_signals() {
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Makes `input` the child's stdin, or its whole terminal. False: errno says why.
bool enter_session(int input, bool has_terminal) {
    if (::setsid() < 0 || ::dup2(input, STDIN_FILENO) < 0) return false;
    if (!has_terminal) return true;
    return ::ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0 && ::dup2(input, STDOUT_FILENO) >= 0 &&
           ::dup2(input, STDERR_FILENO) >= 0;
}

// Runs in the child. All other descriptors are CLOEXEC or were closed when the stub started.
[[noreturn]] void become(const ExecRequest& request, const Program& program, int input,
                         int report) {
    ChildFailure failure;
    if (!enter_session(input, request.has_terminal)) {
        failure.reason.error = errno;
    } else if (::chdir(request.directory) != 0) {
        failure.step = ChildFailure::Step::directory;
        failure.reason.error = errno;
    } else {
        reset_signals();
        failure.step = ChildFailure::Step::program;
        failure.reason = exec_program(program.path, program.arguments, program.environment);
    }
    const auto* bytes = reinterpret_cast<const char*>(&failure);
    ::signal(SIGPIPE, SIG_IGN);
    static_cast<void>(write_all(report, {bytes, sizeof failure}));
    ::_exit(kExitOwnFailure);
}

// Says what went wrong, in words that name the cure. Returns the exit code.
int explain(const ExecRequest& request, const Program& program, const ChildFailure& failure) {
    const int error = failure.reason.error;
    const Text description = describe_error(error);
    if (failure.step == ChildFailure::Step::session)
        return fail({"cannot set up a session for the command: ", description.view()});
    if (failure.step == ChildFailure::Step::directory)
        return fail({"cannot enter directory ", request.directory, ": ", description.view(),
                     "; check workdir"});
    if (failure.reason.has_bad_interpreter)
        return fail({program.path, ": the interpreter or loader that it names is not in the image"},
                    kExitNotExecutable);
    if (error == ENOENT || error == ENOTDIR)
        return fail({program.path, ": command not found"}, kExitNotFound);
    if (error == ENOEXEC)
        return fail({program.path, ": not a program of this machine, and no #! in its first line"},
                    kExitNotExecutable);
    return fail({program.path, ": ", description.view()}, kExitNotExecutable);
}

// Waits for the child's exec or its failure report. True: it failed.
bool read_failure(int report, ChildFailure& failure) {
    auto* bytes = reinterpret_cast<char*>(&failure);
    std::size_t count = 0;
    while (count < sizeof failure) {
        const ssize_t part = ::read(report, bytes + count, sizeof failure - count);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return false;
        count += static_cast<std::size_t>(part);
    }
    return true;
}

void wait_for(pid_t pid) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

// Opens the command's stdin: `input` is our end, `other` the child's. False: errno says why.
bool open_input(const ExecRequest& request, Command& command, Fd& other) {
    if (request.has_terminal) {
        Terminal terminal;
        if (!open_terminal(request.window, terminal)) return false;
        command.input = std::move(terminal.master);
        other = std::move(terminal.slave);
        return true;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    other = Fd(ends[0]);
    command.input = Fd(ends[1]);
    return ::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

int start_command(const ExecRequest& request, Command& command) {
    Program program;
    if (const int exit_code = prepare_program(request, program); exit_code != 0) return exit_code;
    Fd other;
    if (!open_input(request, command, other))
        return fail({request.has_terminal ? "cannot open a terminal: " : "cannot open a pipe: ",
                     describe_error(errno).view()});
    std::array<int, 2> report{};
    if (::pipe2(report.data(), O_CLOEXEC) != 0)
        return fail({"cannot open a pipe: ", describe_error(errno).view()});
    const Fd report_read(report[0]);
    Fd report_write(report[1]);

    const pid_t pid = ::fork();
    if (pid == 0) become(request, program, other.get(), report_write.get());
    if (pid < 0)
        return fail({"cannot start a process: ", describe_error(errno).view(),
                     "; end others or raise the sandbox's limits"});
    report_write.close();
    ChildFailure failure;
    if (read_failure(report_read.get(), failure)) {
        wait_for(pid);
        return explain(request, program, failure);
    }
    command.pid = pid;
    if (request.has_terminal) command.terminal = std::move(other);
    return 0;
}

}  // namespace alca::init
