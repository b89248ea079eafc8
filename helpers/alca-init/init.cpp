#include "init.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>

#include "children.hpp"
#include "directory.hpp"
#include "fd.hpp"
#include "files.hpp"
#include "server.hpp"
#include "text.hpp"
#include "user.hpp"

namespace alca::init {
namespace {

constexpr int kExitUsage = 2;
constexpr int kSignalBase = 128;
constexpr std::size_t kMaxOwn = 64;
constexpr std::uint64_t kMaxGraceMs = 60'000;
constexpr Milliseconds kRound{10};

struct Options {
    std::optional<User> user;
    std::array<std::string_view, kMaxOwn> own;
    std::size_t own_count = 0;
    std::string_view serve;
    const char* jobs = nullptr;
    Milliseconds grace{2000};
};

bool set_option(std::string_view name, std::string_view value, Options& options, Text& fault) {
    if (name == "--user") return parse_user(value, options.user.emplace(), fault);
    if (name == "--own") {
        if (!is_plain_path(value)) {
            fault.set({"--own must be an absolute path without .., colon or control character"});
        } else if (options.own_count == kMaxOwn) {
            fault.set({"--own can be given ", Number(kMaxOwn).view(), " times at most"});
        } else {
            options.own[options.own_count++] = value;
            return true;
        }
        return false;
    }
    if (name == "--serve") {
        options.serve = value;
        return true;
    }
    if (name == "--jobs") {
        options.jobs = value.data();  // an argument, so it ends in a NUL
        return true;
    }
    if (name == "--grace-ms") {
        const std::optional<std::uint64_t> grace = parse_number(value, kMaxGraceMs);
        if (grace) {
            options.grace = Milliseconds(*grace);
            return true;
        }
        fault.set({"--grace-ms must be a number from 0 to ", Number(kMaxGraceMs).view()});
        return false;
    }
    fault.set(
        {"unknown option ", name, "; known are --user, --own, --serve, --jobs and --grace-ms"});
    return false;
}

bool parse_options(std::span<char* const> arguments, Options& options, Text& fault) {
    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        const std::string_view name(arguments[i]);
        if (i + 1 == arguments.size()) {
            fault.set({"option ", name, " needs a value"});
            return false;
        }
        if (!set_option(name, arguments[i + 1], options, fault)) return false;
    }
    if (options.own_count == 0 || options.user) return true;
    fault.set({"--own needs --user"});
    return false;
}

bool prepare(const Options& options, Text& fault) {
    if (!options.user) return true;
    const Fd root = open_at(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
    if (root.is_open())
        return prepare_user(root.get(), *options.user,
                            std::span(options.own).first(options.own_count), fault);
    fault.set({"cannot open /: ", describe_error(errno).view()});
    return false;
}

// True for a signal by kill(2) from outside: only such a sender has no number in our PID namespace.
// sigqueue(3) lets the sender write any number there, but cannot claim to be kill(2).
bool is_from_outside(const signalfd_siginfo& info) {
    return info.ssi_code == SI_USER && info.ssi_pid == 0;
}

Fd open_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT}) ::sigaddset(&signals, number);
    return Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

// As /tmp: every user of the sandbox may have jobs, and nobody end another's. Whoever starts one is
// told when it is not there.
void make_job_directory(const char* path) {
    if (::mkdir(path, 0) == 0 && ::chmod(path, 01777) == 0) return;
    if (errno != EEXIST) complain("alca-init", {path, ": ", describe_error(errno).view()});
}

// Reaps and takes clients until a signal ends the sandbox; returns that.
int serve(const Fd& signals, const Fd& listener) {
    while (true) {
        reap_children();
        std::array<pollfd, 2> fds{};
        fds[0] = {.fd = signals.get(), .events = POLLIN, .revents = 0};
        fds[1] = {.fd = listener.get(), .events = POLLIN, .revents = 0};
        if (::poll(fds.data(), fds.size(), -1) < 0) continue;
        signalfd_siginfo info{};
        while (::read(signals.get(), &info, sizeof info) == sizeof info) {
            const auto number = static_cast<int>(info.ssi_signo);
            if ((number == SIGTERM || number == SIGINT) && is_from_outside(info)) return number;
        }
        if (fds[1].revents != 0) welcome_client(listener.get());
    }
}

// kill(2) to everybody but PID 1 finds nobody. Not waitpid(2): what the engine started is not our
// child.
bool is_alone() { return ::kill(-1, 0) < 0 && errno == ESRCH; }

void end_others(Milliseconds grace) {
    const Milliseconds end = now() + grace;
    ::kill(-1, SIGTERM);
    ::kill(-1, SIGCONT);  // what was stopped could not act on TERM
    while (!is_alone() && now() < end) {
        wait_for_child(kRound);
        reap_children();
    }
    // The kernel KILLs what is left when PID 1 ends; this comes first, so that the order does not
    // depend on it.
    ::kill(-1, SIGKILL);
}

}  // namespace

int run_init(std::span<char* const> arguments) {
    static constexpr std::string_view kName = "alca-init";
    Options options;
    Text fault;
    if (!parse_options(arguments, options, fault)) {
        complain(kName, {fault.view()});
        return kExitUsage;
    }
    if (::getpid() != 1) {
        complain(kName, {"init must be PID 1; start it as the command of a container"});
        return kExitUsage;
    }
    // Nobody inside may stop or steer this process; a command is a program of its own and may be.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // First, so that no signal is lost while the user is prepared.
    block_signals();
    ::umask(022);
    if (!prepare(options, fault)) {
        complain(kName, {fault.view()});
        return 1;
    }
    // Holds no mount of the image's working directory.
    if (::chdir("/") != 0) complain(kName, {"cannot enter /: ", describe_error(errno).view()});
    if (options.jobs != nullptr) make_job_directory(options.jobs);
    const Fd signals = open_signals();
    if (!signals.is_open()) {
        complain(kName, {"cannot watch signals: ", describe_error(errno).view()});
        return 1;
    }
    Fd listener;
    if (!options.serve.empty()) {
        listener = listen_at(options.serve, fault);
        // The engine's exec API is a way, too.
        if (!listener.is_open()) complain(kName, {fault.view()});
    }
    const int number = serve(signals, listener);
    listener.close();
    end_others(options.grace);
    return kSignalBase + number;
}

}  // namespace alca::init
