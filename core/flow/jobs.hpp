// core/flow/jobs.hpp - jobs: commands of `alca run -d`, kept by `alca-init job` inside the sandbox.
#ifndef ALCA_CORE_FLOW_JOBS_HPP
#define ALCA_CORE_FLOW_JOBS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alca::flow {

// Where alca-init keeps records and logs, inside.
inline constexpr const char* kJobsDirectory = "/alca-jobs";

struct Job {
    enum class State : std::uint8_t {
        running,
        ended,
        lost,  // its keeper went without a word: the sandbox was stopped, or somebody killed it
    };
    std::string name;
    State state = State::lost;
    std::string user;              // "UID:GID"
    std::int64_t started = 0;      // seconds since 1970
    std::int64_t ended = 0;        // only when it has ended
    std::optional<int> exit_code;  // only when it has ended
    std::string command;           // shortened, for people
};

// What `alca-init job list` has printed, the latest start first. It comes out of the sandbox, where
// anybody may have written it: what does not fit is left out.
[[nodiscard]] std::vector<Job> parse_jobs(std::string_view text);

// What alca-init is asked to do: the arguments of a command inside.
[[nodiscard]] std::vector<std::string> list_jobs();
// Of one job, printed as in the list.
[[nodiscard]] std::vector<std::string> show_job(const std::string& name);
// name: "" for one that alca-init makes from the command. It prints the name.
[[nodiscard]] std::vector<std::string> start_job(const std::string& name,
                                                 std::vector<std::string> argv);
// lines: the last ones only; nullopt: all that are kept.
[[nodiscard]] std::vector<std::string> print_log(const std::string& name,
                                                 std::optional<std::uint64_t> lines, bool follow);
[[nodiscard]] std::vector<std::string> signal_job(const std::string& name, int signal);
// TERM to all that the job has started, and KILL after `grace_ms`.
[[nodiscard]] std::vector<std::string> end_job(const std::string& name, std::uint64_t grace_ms);

}  // namespace alca::flow

#endif
