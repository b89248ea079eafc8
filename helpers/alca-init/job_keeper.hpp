#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace alca::init {

// Starts `arguments` here, with this process's environment, no input, and a process beside it that
// keeps its output in the log of a new job. Writes the job's name to stdout.
// Returns 0, or the exit code that `alca run` of the same command would have, with a text on
// stderr.
[[nodiscard]] int start_job(int jobs, std::string_view name, std::span<char* const> arguments);

// How to end a job, or what else to tell it.
struct JobSignal {
    int number = 0;              // 1..31 for the command alone; 0: end all that the job has started
    std::uint64_t grace_ms = 0;  // to end: from TERM to KILL
};

// Returns when the signal was sent, or when nothing of the job is left. An exit code; the reason of
// a failure was written to stderr.
[[nodiscard]] int signal_job(int jobs, std::string_view name, const JobSignal& signal);

}  // namespace alca::init
