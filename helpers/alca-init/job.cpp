#include "job.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "command.hpp"
#include "fd.hpp"
#include "files.hpp"
#include "job_keeper.hpp"
#include "job_log.hpp"
#include "job_record.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr std::uint64_t kMaxGraceMs = 3'600'000;
constexpr std::uint64_t kMaxLines = 100'000'000;
constexpr std::uint64_t kMaxSignal = 31;
constexpr std::size_t kMaxValueBytes = 900;

int fail(std::initializer_list<std::string_view> message) {
    complain("alca", message);
    return kExitOwnFailure;
}

int usage() {
    return fail(
        {"usage: alca-init job DIRECTORY start NAME COMMAND [ARGUMENT]... | list"
         " | show NAME | log NAME LINES|all [follow] | signal NAME NUMBER | end NAME "
         "MILLISECONDS"});
}

// A line for the job, and what is known of it behind a blank: nothing that a user of the sandbox
// writes there looks like another job, or fills the list.
bool print_job(std::string_view name, const JobRecord& record) {
    // Also when the command has ended: what it has started goes on.
    std::string_view state = "running";
    if (!record.is_kept)
        state = record_value(record.text.view(), "exit").empty() ? "lost" : "ended";
    Text line;
    line.set({"job ", name, " ", state, " ", Number(record.uid).view(), ":",
              Number(record.gid).view(), "\n"});
    Bytes text;
    if (!text.append(line.view())) return false;
    for (const std::string_view key : {"started", "command", "exit"}) {
        const std::string_view value = record_value(record.text.view(), key);
        if (value.empty()) continue;
        line.set({" ", key, " ", value.substr(0, kMaxValueBytes), "\n"});
        if (!text.append(line.view())) return false;
    }
    return write_all(STDOUT_FILENO, text.view());
}

int list(int jobs) {
    Fd copy(::openat(jobs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* stream = copy.is_open() ? ::fdopendir(copy.get()) : nullptr;
    if (stream == nullptr) return fail({"cannot read the directory of the jobs"});
    static_cast<void>(copy.release());
    std::size_t count = 0;
    static constexpr std::string_view kSuffix = ".job";
    while (const dirent* entry = ::readdir(stream)) {
        std::string_view name(static_cast<const char*>(entry->d_name));
        if (!name.ends_with(kSuffix)) continue;
        name.remove_suffix(kSuffix.size());
        if (!is_job_name(name) || ++count > kMaxJobs) continue;
        Text fault;
        const auto record = open_record(jobs, name, fault);
        if (record && !print_job(name, *record)) break;
    }
    ::closedir(stream);
    return 0;
}

int show(int jobs, std::string_view name) {
    Text fault;
    const auto record = open_record(jobs, name, fault);
    if (record) return print_job(name, *record) ? 0 : kExitOwnFailure;
    complain("alca", {fault.view()});
    return 1;
}

int log(int jobs, std::string_view name, std::span<char* const> rest) {
    LogWish wish;
    if (std::string_view(rest[0]) != "all") {
        const auto lines = parse_number(rest[0], kMaxLines);
        if (!lines) return usage();
        wish.lines = *lines;
    }
    wish.follow = rest.size() == 2 && std::string_view(rest[1]) == "follow";
    if (rest.size() > (wish.follow ? 2U : 1U)) return usage();
    Text fault;
    if (print_log(jobs, name, wish, fault)) return 0;
    complain("alca", {fault.view()});
    return 1;
}

}  // namespace

int run_job(std::span<char* const> arguments) {
    if (arguments.size() < 2) return usage();
    const std::string_view what = arguments[1];
    Text fault;
    const Fd jobs = open_jobs(arguments[0], fault);
    if (!jobs.is_open()) return fail({fault.view()});
    const std::span<char* const> rest = arguments.subspan(2);
    if (what == "list" && rest.empty()) return list(jobs.get());
    const std::string_view name = rest.empty() ? "" : rest[0];
    const bool may_be_empty = what == "start";
    if (!is_job_name(name) && !(may_be_empty && name.empty())) {
        if (rest.empty()) return usage();
        return fail({"the name of a job has letters, digits, _, - and . (63 at most): ", name});
    }
    if (what == "start" && rest.size() >= 2) return start_job(jobs.get(), name, rest.subspan(1));
    if (what == "show" && rest.size() == 1) return show(jobs.get(), name);
    if (what == "log" && rest.size() >= 2) return log(jobs.get(), name, rest.subspan(1));
    JobSignal signal;
    if (rest.size() == 2 && what == "signal") {
        signal.number = static_cast<int>(parse_number(rest[1], kMaxSignal).value_or(0));
        if (signal.number > 0) return signal_job(jobs.get(), name, signal);
    } else if (rest.size() == 2 && what == "end") {
        signal.grace_ms = parse_number(rest[1], kMaxGraceMs).value_or(kMaxGraceMs + 1);
        if (signal.grace_ms <= kMaxGraceMs) return signal_job(jobs.get(), name, signal);
    }
    return usage();
}

}  // namespace alca::init
