#include "stub.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "bytes.hpp"
#include "children.hpp"
#include "client_stream.hpp"
#include "command.hpp"
#include "exec_request.hpp"
#include "fd.hpp"
#include "files.hpp"
#include "memory_kills.hpp"
#include "probe.hpp"
#include "session.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

int fail(std::initializer_list<std::string_view> message) {
    complain("alca", message);
    return kExitOwnFailure;
}

bool has_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) < 0) return false;
    }
    return true;
}

Fd open_child_signals() {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    return Fd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Reads until the exec frame is complete. 0: done, else the exit code.
int await_exec(ClientStream& client) {
    while (true) {
        const Event event = client.next();
        if (event.kind == Event::Kind::exec) return 0;
        if (event.kind == Event::Kind::broken) return fail({"run protocol: ", event.reason});
        if (!client.fill())
            return fail({"run protocol: the client ended before it named a command"});
    }
}

// The client's terminal is raw: a newline alone does not begin a line.
void return_carriage() { static_cast<void>(write_all(STDERR_FILENO, "\r")); }

}  // namespace

bool close_inherited() {
    DIR* stream = ::opendir("/proc/self/fd");
    if (stream == nullptr) return false;
    while (const dirent* entry = ::readdir(stream)) {
        const std::optional<std::uint64_t> fd =
            parse_number(static_cast<const char*>(entry->d_name), std::numeric_limits<int>::max());
        if (!fd || *fd <= STDERR_FILENO || static_cast<int>(*fd) == ::dirfd(stream)) continue;
        ::close(static_cast<int>(*fd));
    }
    ::closedir(stream);
    return true;
}

int run_stub(std::span<char* const> arguments) {
    if (!arguments.empty()) {
        if (arguments.size() != 2 || std::string_view(arguments[0]) != "--refused")
            return fail({"stub takes only --refused ADDRESS"});
        // Nothing is started where the sandbox's own rules are gone, as after a restart by hand.
        Text answer;
        if (!is_refused(arguments[1], answer))
            return fail({"the network rules inside the sandbox are not in force (a packet to ",
                         arguments[1], ": ", answer.view(), "); run: alca up"});
    }
    if (!has_standard_streams()) return fail({"stub needs stdin, stdout and stderr"});
    if (!close_inherited())
        return fail({"cannot read /proc/self/fd: ", describe_error(errno).view(), "; mount /proc"});
    return serve_client();
}

int serve_client() {
    // Nothing but the client's end or the command's may end the stub. A closed stdout is an errno,
    // not a signal.
    block_signals();
    Fd signals = open_child_signals();
    if (!signals.is_open() || ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        return fail({"cannot watch child processes: ", describe_error(errno).view()});

    ClientStream client;
    if (const int exit_code = await_exec(client); exit_code != 0) return exit_code;
    Command command;
    bool has_terminal = false;
    const std::uint64_t memory_kills = count_memory_kills();
    {
        // Up to 4 MiB that nobody needs once the command runs.
        Bytes payload = client.take_exec();
        ExecRequest request;
        if (const char* reason = parse_exec_request(payload, request))
            return fail({"run protocol: ", reason});
        has_terminal = request.has_terminal;
        if (const int exit_code = start_command(request, command); exit_code != 0) {
            if (has_terminal) return_carriage();
            return exit_code;
        }
    }
    const int exit_code = Session(client, std::move(command), std::move(signals)).run();
    // It says nothing of this itself, and a compiler's "killed" does not tell by whom.
    if (exit_code != 0 && count_memory_kills() > memory_kills) {
        if (has_terminal) return_carriage();
        complain("alca", {"the sandbox's memory limit was reached, and a process was killed; "
                          "raise resources.memory in .alca.toml"});
        if (has_terminal) return_carriage();
    }
    return exit_code;
}

}  // namespace alca::init
