#include "core/flow/jobs.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <tuple>

#include "core/flow/exec_inside.hpp"

namespace alca::flow {
namespace {

std::string_view take(std::string_view& text, char until) {
    const std::size_t end = std::min(text.find(until), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

std::optional<Job::State> state_of(std::string_view word) {
    if (word == "running") return Job::State::running;
    if (word == "ended") return Job::State::ended;
    if (word == "lost") return Job::State::lost;
    return std::nullopt;
}

// As alca-init takes them: nothing in it means anything to a shell, and it is no option.
bool is_name(std::string_view name) {
    constexpr std::string_view kOthers = "_-.";
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && (is_plain(name.front()) || name.front() == '_') &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_plain(c) || kOthers.find(c) != std::string_view::npos;
           });
}

// "job NAME STATE UID:GID"
std::optional<Job> parse_head(std::string_view line) {
    if (take(line, ' ') != "job") return std::nullopt;
    Job job;
    job.name = take(line, ' ');
    const auto state = state_of(take(line, ' '));
    job.user = line;
    const bool is_user = number_of<std::int64_t>(take(line, ':')) && number_of<std::int64_t>(line);
    if (!is_name(job.name) || !state || !is_user) return std::nullopt;
    job.state = *state;
    return job;
}

void add_line(Job& job, std::string_view line) {
    const std::string_view key = take(line, ' ');
    if (key == "command") job.command = line;
    if (key == "started") job.started = number_of<std::int64_t>(line).value_or(0);
    if (key != "exit") return;
    job.exit_code = number_of<int>(take(line, ' '));
    job.ended = number_of<std::int64_t>(line).value_or(0);
}

std::vector<std::string> ask(std::initializer_list<std::string> words) {
    std::vector<std::string> argv{kInitPath, "job", kJobsDirectory};
    argv.insert(argv.end(), words);
    return argv;
}

}  // namespace

std::vector<Job> parse_jobs(std::string_view text) {
    std::vector<Job> jobs;
    bool is_known = false;
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        if (!line.starts_with(' ')) {
            auto job = parse_head(line);
            is_known = job.has_value();
            if (job) jobs.push_back(std::move(*job));
        } else if (is_known) {
            line.remove_prefix(1);
            add_line(jobs.back(), line);
        }
    }
    std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) {
        return std::tie(b.started, a.name) < std::tie(a.started, b.name);
    });
    return jobs;
}

std::vector<std::string> list_jobs() { return ask({"list"}); }

std::vector<std::string> show_job(const std::string& name) { return ask({"show", name}); }

std::vector<std::string> start_job(const std::string& name, std::vector<std::string> argv) {
    auto all = ask({"start", name});
    all.insert(all.end(), std::make_move_iterator(argv.begin()),
               std::make_move_iterator(argv.end()));
    return all;
}

std::vector<std::string> print_log(const std::string& name, std::optional<std::uint64_t> lines,
                                   bool follow) {
    auto argv = ask({"log", name, lines ? std::to_string(*lines) : "all"});
    if (follow) argv.emplace_back("follow");
    return argv;
}

std::vector<std::string> signal_job(const std::string& name, int signal) {
    return ask({"signal", name, std::to_string(signal)});
}

std::vector<std::string> end_job(const std::string& name, std::uint64_t grace_ms) {
    return ask({"end", name, std::to_string(grace_ms)});
}

}  // namespace alca::flow
