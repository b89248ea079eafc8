#include "core/flow/jobs.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <optional>
#include <system_error>

#include "core/cli/command.hpp"
#include "core/cli/inside.hpp"
#include "core/os/file.hpp"
#include "core/os/interrupt.hpp"
#include "core/os/signals.hpp"
#include "core/os/terminal_modes.hpp"

namespace alca::cli {
namespace {

constexpr std::size_t kMaxListBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxJobBytes = std::size_t{64} << 10;
// Reads the records and logs of all users.
constexpr const char* kReader = "0";

flow::RunRequest request_of(std::vector<std::string> argv, const std::string& user) {
    std::error_code error;
    flow::RunRequest request;
    request.argv = std::move(argv);
    request.is_literal = true;
    request.caller_directory = fs::current_path(error);
    request.user = user;
    request.workdir = "/";
    return request;
}

Result<std::vector<flow::Job>> read_jobs(Session& session, ProjectSession& project) {
    auto captured =
        capture_inside(session, project, request_of(flow::list_jobs(), kReader), kMaxListBytes);
    if (!captured) return fail(captured.error());
    if (captured->exit_code != 0) return fail("the jobs could not be listed");
    return flow::parse_jobs(captured->out);
}

// --- ps

struct PsFlags {
    bool all = false;
    bool names = false;
    bool as_json = false;
};

std::string_view state_name(flow::Job::State state) {
    switch (state) {
        case flow::Job::State::running:
            return "running";
        case flow::Job::State::ended:
            return "ended";
        case flow::Job::State::lost:
            break;
    }
    return "lost";
}

std::string status_of(const flow::Job& job) {
    if (job.state != flow::Job::State::ended) return std::string(state_name(job.state));
    return job.exit_code ? fmt::format("exited ({})", *job.exit_code) : "exited";
}

std::string time_text(std::int64_t seconds, const char* format) {
    constexpr std::int64_t kLast = 253'402'300'799;  // of the year 9999
    return fmt::format(fmt::runtime(format),
                       fmt::gmtime(static_cast<std::time_t>(std::min(seconds, kLast))));
}

std::string table(const std::vector<flow::Job>& jobs) {
    constexpr const char* kLine = "{:<20} {:<13} {:<20} {:<11} {}\n";
    std::string text = fmt::format(kLine, "NAME", "STATUS", "STARTED (UTC)", "USER", "COMMAND");
    for (const flow::Job& job : jobs) {
        text += fmt::format(kLine, job.name, status_of(job),
                            time_text(job.started, "{:%Y-%m-%d %H:%M:%S}"), job.user, job.command);
    }
    return text;
}

// sdk/schema/ps.schema.json is the promise.
Json to_json(const std::vector<flow::Job>& jobs) {
    constexpr const char* kTime = "{:%Y-%m-%dT%H:%M:%SZ}";
    Json list = Json::array();
    for (const flow::Job& job : jobs) {
        const bool has_ended = job.state == flow::Job::State::ended;
        list.push_back({{"name", job.name},
                        {"state", state_name(job.state)},
                        {"exit_code", job.exit_code ? Json(*job.exit_code) : Json()},
                        {"user", job.user},
                        {"started", time_text(job.started, kTime)},
                        {"ended", has_ended ? Json(time_text(job.ended, kTime)) : Json()},
                        {"command", job.command}});
    }
    return {{"jobs", list}};
}

int ps(Program& program, const PsFlags& flags) {
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const auto project = open_for_run(session);
    if (!project) return report(project.error());
    auto jobs = read_jobs(session, **project);
    if (!jobs) return report(jobs.error());
    if (!flags.all) {
        std::erase_if(*jobs,
                      [](const flow::Job& job) { return job.state != flow::Job::State::running; });
    }
    if (flags.as_json) return print(dump(to_json(*jobs)) + "\n") ? exit_ok : exit_failed;
    if (!flags.names) return print(table(*jobs)) ? exit_ok : exit_failed;
    std::string names;
    for (const flow::Job& job : *jobs) names += job.name + "\n";
    return print(names) ? exit_ok : exit_failed;
}

// --- logs

struct LogsFlags {
    std::string name;
    std::string tail = "all";
    bool follow = false;
};

int logs(Program& program, const LogsFlags& flags) {
    std::optional<std::uint64_t> lines;
    if (flags.tail != "all") {
        const char* const end = flags.tail.data() + flags.tail.size();
        const auto [stop, error] = std::from_chars(flags.tail.data(), end, lines.emplace());
        if (error != std::errc{} || stop != end) {
            print_error("--tail needs a number of lines, or all");
            return exit_usage;
        }
    }
    // To follow ends by a signal: it goes to what reads the log inside.
    const auto signals = os::SignalFd::block({SIGINT, SIGTERM, SIGHUP});
    if (!signals) return report(signals.error());
    Session session(program, /*quiet=*/true, signals->fd());
    const auto project = open_for_run(session);
    if (!project) return report(project.error());
    const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
    os::TerminalModes modes;
    const auto code = run_inside(
        session, **project, request_of(flow::print_log(flags.name, lines, flags.follow), kReader),
        {.in = -1,
         .out = STDOUT_FILENO,
         .err = STDERR_FILENO,
         .signals = &*signals,
         .modes = is_terminal ? &modes : nullptr});
    // A log may end anywhere.
    if (is_terminal) static_cast<void>(os::write_all(STDOUT_FILENO, modes.reset().view()));
    if (!code) return report(code.error());
    return *code == exit_run_failed ? exit_failed : *code;
}

// --- kill

struct KillFlags {
    std::vector<std::string> names;
    std::string signal;
    double timeout_s = 10;
};

// "USR1", "SIGUSR1" or "10", as kill(1) and docker take them.
std::optional<int> signal_number(std::string text) {
    constexpr int kLast = 31;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) {
        return number >= 1 && number <= kLast ? std::optional(number) : std::nullopt;
    }
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (text.starts_with("SIG")) text.erase(0, 3);
    for (number = 1; number <= kLast; ++number) {
        const char* const name = ::sigabbrev_np(number);
        if (name != nullptr && text == name) return number;
    }
    return std::nullopt;
}

// False: it could not be done, and why was told.
Result<bool> end_or_signal(Session& session, ProjectSession& project, const std::string& name,
                           std::optional<int> signal, double timeout_s) {
    constexpr double kMsPerS = 1000;
    const auto shown =
        capture_inside(session, project, request_of(flow::show_job(name), kReader), kMaxJobBytes);
    if (!shown) return fail(shown.error());
    const auto jobs = flow::parse_jobs(shown->out);
    if (shown->exit_code != 0 || jobs.empty()) return false;
    const auto argv = signal ? flow::signal_job(name, *signal)
                             : flow::end_job(name, static_cast<std::uint64_t>(timeout_s * kMsPerS));
    // As the job's own user: what a record says then reaches nothing that he could not reach.
    const auto done =
        capture_inside(session, project, request_of(argv, jobs.front().user), kMaxJobBytes);
    if (!done) return fail(done.error());
    return done->exit_code == 0;
}

int kill(Program& program, const KillFlags& flags) {
    constexpr double kMaxTimeoutS = 3600;
    std::optional<int> signal;
    if (!flags.signal.empty()) {
        signal = signal_number(flags.signal);
        if (!signal) {
            print_error("no such signal: " + flags.signal);
            return exit_usage;
        }
    }
    if (!(flags.timeout_s >= 0 && flags.timeout_s <= kMaxTimeoutS)) {
        print_error("--timeout needs seconds, 0 to 3600");
        return exit_usage;
    }
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const auto project = open_for_run(session);
    if (!project) return report(project.error());
    int result = exit_ok;
    for (const std::string& name : flags.names) {
        const auto done = end_or_signal(session, **project, name, signal, flags.timeout_s);
        if (!done) return report(done.error());
        if (!*done) result = exit_failed;
    }
    return result;
}

}  // namespace

void add_ps(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("ps", "List the jobs that `alca run -d` has started");
    auto flags = std::make_shared<PsFlags>();
    command->add_flag("-a,--all", flags->all, "Also those that have ended");
    command->add_flag("-q,--quiet", flags->names, "Names only");
    command->add_flag("--json", flags->as_json, "Machine-readable (schema: ps.schema.json)");
    command->footer(
        "A job is \"lost\" when the sandbox was stopped under it, or its keeper inside killed; "
        "what may\n"
        "be left of it ends with `alca down`.\n\n"
        "Examples:\n"
        "  alca ps\n"
        "  alca ps -a --json | jq -r '.jobs[] | select(.exit_code > 0) | .name'\n"
        "  alca kill $(alca ps -q)");
    command->callback(
        [&program, flags] { program.command = [&program, flags] { return ps(program, *flags); }; });
}

void add_logs(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("logs", "Print what a job has written");
    auto flags = std::make_shared<LogsFlags>();
    command->add_option("NAME", flags->name, "The job")->required();
    command->add_flag("-f,--follow", flags->follow, "Go on until the job has ended");
    command->add_option("-n,--tail", flags->tail, "Only the last LINES lines")->type_name("LINES");
    command->footer(
        "Output and error output in the order in which they were written; the last 4 to 8 MiB\n"
        "of a job are kept.\n\n"
        "Examples:\n"
        "  alca logs server\n"
        "  alca logs -f -n 20 server");
    command->callback([&program, flags] {
        program.command = [&program, flags] { return logs(program, *flags); };
    });
}

void add_kill(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("kill", "End a job, or send it a signal");
    auto flags = std::make_shared<KillFlags>();
    command->add_option("NAME", flags->names, "The jobs")->required();
    command->add_option("-s,--signal", flags->signal,
                        "Only send this signal to the command, such as USR1");
    command->add_option("-t,--timeout", flags->timeout_s, "From TERM to KILL")
        ->type_name("SECONDS")
        ->capture_default_str();
    command->footer(
        "Without --signal everything that the job has started gets TERM, and KILL when it has not\n"
        "ended by then.\n\n"
        "Examples:\n"
        "  alca kill server\n"
        "  alca kill -t 0 server other\n"
        "  alca kill -s HUP server    let it read its configuration again");
    command->callback([&program, flags] {
        program.command = [&program, flags] { return kill(program, *flags); };
    });
}

}  // namespace alca::cli
