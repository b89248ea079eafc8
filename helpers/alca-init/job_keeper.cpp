#include "job_keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "bytes.hpp"
#include "children.hpp"
#include "command.hpp"
#include "descendants.hpp"
#include "fd.hpp"
#include "files.hpp"
#include "job_log.hpp"
#include "job_record.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr int kSignalBase = 128;
constexpr std::size_t kMaxCommandBytes = 800;  // of a record; text.hpp has a bound, too
constexpr int kEverybody = 256;  // added to a signal's number: for all, not the command alone
constexpr Milliseconds kRound{20};
constexpr Milliseconds kKillPatience{5000};

// Of those that wait in a queue: none gets lost behind another.
int order_signal() { return SIGRTMIN; }

int fail(std::initializer_list<std::string_view> message) {
    complain("alca", message);
    return kExitOwnFailure;
}

// For a record: one line, printable.
Bytes describe(std::span<char* const> arguments) {
    Bytes text;
    for (const char* argument : arguments) {
        if (!text.is_empty()) static_cast<void>(text.append(" "));
        for (const char c : std::string_view(argument)) {
            if (text.size() >= kMaxCommandBytes) return text;
            const bool is_plain = c >= ' ' && c <= '~';
            static_cast<void>(text.append({is_plain ? &c : "?", 1}));
        }
    }
    return text;
}

// Takes the output of a command until that has ended, and with it all that it has started.
class Keeper {
  public:
    Keeper(Command command, Fd signals, Fd output, Fd record, JobLog log)
        : command_(std::move(command)),
          signals_(std::move(signals)),
          output_(std::move(output)),
          record_(std::move(record)),
          log_(std::move(log)) {}

    void run() {
        command_.input.close();
        while (output_.is_open() || has_children_) {
            std::array<pollfd, 2> fds{};
            fds[0] = {.fd = signals_.get(), .events = POLLIN, .revents = 0};
            fds[1] = {.fd = output_.get(), .events = POLLIN, .revents = 0};
            if (::poll(fds.data(), fds.size(), -1) < 0) continue;
            if (fds[0].revents != 0) take_signals();
            if (fds[1].revents != 0) take_output();
        }
    }

  private:
    void take_output() {
        const ssize_t count = ::read(output_.get(), chunk_.data(), chunk_.size());
        if (count > 0) log_.write({chunk_.data(), static_cast<std::size_t>(count)});
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) output_.close();
    }

    void take_signals() {
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
            const bool is_order = info.ssi_signo == static_cast<std::uint32_t>(order_signal());
            if (is_order && info.ssi_code == SI_QUEUE) obey(info.ssi_int);
        }
        const Reaped reaped = reap_children(command_.pid);
        has_children_ = reaped.has_children;
        if (!reaped.has_ended) return;
        write_exit(record_.get(), WIFSIGNALED(reaped.status) ? kSignalBase + WTERMSIG(reaped.status)
                                                             : WEXITSTATUS(reaped.status));
        command_.pid = -1;
    }

    void obey(int order) const {
        const int signal = order % kEverybody;
        if (order >= kEverybody) {
            signal_descendants(signal);
            if (signal != SIGKILL) signal_descendants(SIGCONT);  // what is stopped cannot act on it
        } else if (command_.pid > 0) {
            ::kill(-command_.pid, signal);
        }
    }

    Command command_;
    Fd signals_;
    Fd output_;
    Fd record_;
    JobLog log_;
    bool has_children_ = true;
    std::array<char, 65536> chunk_{};
};

Fd open_keeper_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    ::sigaddset(&set, order_signal());
    return Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

struct Pipe {
    Fd read;
    Fd write;
    bool open() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read = Fd(ends[0]);
        write = Fd(ends[1]);
        return true;
    }
};

// The command gets the log's pipe as stdout and stderr; this process must hold neither it nor the
// client's streams for long.
int start_in_log(std::span<char* const> arguments, Pipe& output, Command& command) {
    const Fd client_error(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!client_error.is_open() || ::dup2(output.write.get(), STDOUT_FILENO) < 0 ||
        ::dup2(output.write.get(), STDERR_FILENO) < 0)
        return kExitOwnFailure;
    output.write.close();
    ExecRequest request;
    request.directory = ".";
    int code = kExitOwnFailure;
    if (request.arguments.reserve(arguments.size()) && request.environment.reserve(0)) {
        for (char* argument : arguments) request.arguments.add(argument);
        code = start_command(request, command);
    }
    const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing.get(), fd);
    if (code == 0) return 0;
    // Its text is for whoever asked, not for a log.
    std::array<char, 2048> text{};
    const ssize_t count = ::read(output.read.get(), text.data(), text.size());
    if (count > 0)
        static_cast<void>(
            write_all(client_error.get(), {text.data(), static_cast<std::size_t>(count)}));
    return code;
}

struct NewJob {
    Fd record;
    Text name;
    std::string_view command;
};

// In a process of its own. Says through `result` how the start went.
[[noreturn]] void keep(int jobs, NewJob& job, std::span<char* const> arguments, Fd result) {
    ::setsid();
    block_signals();
    Fd signals = open_keeper_signals();
    JobLog log(jobs, job.name.view());
    Pipe output;
    Command command;
    std::uint8_t code = kExitOwnFailure;
    if (!signals.is_open() || ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 || !output.open() ||
        !log.create() || !write_start(job.record.get(), job.command)) {
        static_cast<void>(fail({"cannot keep a job: ", describe_error(errno).view()}));
    } else {
        code = static_cast<std::uint8_t>(start_in_log(arguments, output, command));
    }
    if (code != 0) remove_job(jobs, job.name.view());
    static_cast<void>(write_all(result.get(), {reinterpret_cast<const char*>(&code), 1}));
    result.close();
    if (code != 0) ::_exit(0);
    Keeper(std::move(command), std::move(signals), std::move(output.read), std::move(job.record),
           std::move(log))
        .run();
    ::_exit(0);
}

// Only what a record says, and only while its lock is held: the number may be another's by then.
enum class Complain : std::uint8_t { no, yes };
int send_order(int jobs, std::string_view name, int order, Complain complaint = Complain::yes) {
    const auto fail = [complaint](std::initializer_list<std::string_view> message) {
        if (complaint == Complain::yes) complain("alca", message);
        return kExitOwnFailure;
    };
    Text fault;
    const auto record = open_record(jobs, name, fault);
    if (!record) return fail({fault.view()});
    static constexpr std::uint64_t kMaxPid = std::numeric_limits<pid_t>::max();
    const auto pid = parse_number(record_value(record->text.view(), "keeper"), kMaxPid);
    if (!record->is_kept || !pid || *pid <= 1)
        return fail({"job ", name,
                     record_value(record->text.view(), "exit").empty()
                         ? " has lost its keeper; what still runs of it ends with: alca down"
                         : " has ended; see: alca ps -a"});
    const Fd keeper(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    siginfo_t info{};
    info.si_signo = order_signal();
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = order;
    const auto again = open_record(jobs, name, fault);
    if (!keeper.is_open() || !again || !again->is_kept ||
        ::syscall(SYS_pidfd_send_signal, keeper.get(), order_signal(), &info, 0) != 0)
        return fail({"job ", name, " cannot be reached: ", describe_error(errno).view()});
    // The job may have stopped its keeper.
    ::syscall(SYS_pidfd_send_signal, keeper.get(), SIGCONT, nullptr, 0);
    return 0;
}

bool ends_within(int jobs, std::string_view name, Milliseconds time) {
    const Milliseconds end = now() + time;
    while (true) {
        Text fault;
        const auto record = open_record(jobs, name, fault);
        if (!record || !record->is_kept) return true;
        if (now() >= end) return false;
        ::usleep(static_cast<useconds_t>(kRound.count()) * 1000);
    }
}

}  // namespace

int start_job(int jobs, std::string_view name, std::span<char* const> arguments) {
    const Bytes command = describe(arguments);
    NewJob job;
    job.name.set({name});
    job.command = command.view();
    Text fault;
    job.record = create_record(jobs, job.command, job.name, fault);
    if (!job.record.is_open()) return fail({fault.view()});
    Pipe result;
    if (!result.open()) return fail({"cannot make a pipe: ", describe_error(errno).view()});
    const pid_t pid = ::fork();
    if (pid == 0) {
        result.read.close();
        keep(jobs, job, arguments, std::move(result.write));
    }
    if (pid < 0) {
        const Text reason = describe_error(errno);
        remove_job(jobs, job.name.view());
        return fail({"cannot start a process: ", reason.view(),
                     "; end others or raise the sandbox's limits"});
    }
    result.write.close();
    std::uint8_t code = kExitOwnFailure;
    ssize_t count = -1;
    do {
        count = ::read(result.read.get(), &code, 1);
    } while (count < 0 && errno == EINTR);
    if (count != 1) return fail({"the job's keeper has ended early"});
    if (code != 0) return code;
    Text line;
    line.set({job.name.view(), "\n"});
    static_cast<void>(write_all(STDOUT_FILENO, line.view()));
    return 0;
}

int signal_job(int jobs, std::string_view name, const JobSignal& signal) {
    if (signal.number != 0) return send_order(jobs, name, signal.number);
    if (const int code = send_order(jobs, name, kEverybody + SIGTERM); code != 0) return code;
    if (ends_within(jobs, name, Milliseconds(signal.grace_ms))) return 0;
    // Again and again: a process may have forked between the keeper's look and its signal.
    for (const Milliseconds end = now() + kKillPatience; now() < end;) {
        if (send_order(jobs, name, kEverybody + SIGKILL, Complain::no) != 0 ||
            ends_within(jobs, name, kRound))
            break;
    }
    if (ends_within(jobs, name, Milliseconds(0))) return 0;
    return fail({"job ", name, " does not end"});
}

}  // namespace alca::init
