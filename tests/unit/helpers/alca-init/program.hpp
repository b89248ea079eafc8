#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "helpers/alca-init/fd.hpp"

namespace alca::init::testing {

using std::chrono::milliseconds;

// Far more than anything here takes: only a hang reaches it.
inline constexpr milliseconds kPatience{20'000};

struct Output {
    int exit_code = -1;  // 128+n for a signal
    std::string out;
    std::string err;
};

// A program with pipes at its stdin, stdout and stderr. Killed when the object ends.
class Program {
  public:
    explicit Program(const std::vector<std::string>& command);
    Program(Program&& other) noexcept;
    Program& operator=(Program&&) = delete;
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program();

    [[nodiscard]] pid_t pid() const { return pid_; }
    void send(std::string_view bytes) const;
    // Reads stdout until it holds `text`; all that was read is in `finish()` too.
    void expect_output(std::string_view text);
    void expect_lines(std::size_t count);
    void close_stdin() { in_.close(); }
    void close_stdout() { out_.close(); }
    [[nodiscard]] int stdin_fd() const { return in_.get(); }
    [[nodiscard]] int stdout_fd() const { return out_.get(); }
    [[nodiscard]] const std::string& output() const { return output_.out; }
    // Waits for the program itself, not for others that hold its pipes. A hang is a test failure.
    [[nodiscard]] Output finish();

  private:
    void pump(milliseconds time);
    bool has_ended();

    pid_t pid_ = -1;
    Fd in_;
    Fd out_;
    Fd err_;
    Output output_;
};

[[nodiscard]] Program start_stub();

// Sends `frames` to a stub, keeps its stdin open, and waits for its end.
[[nodiscard]] Output run_stub(std::string_view frames);

// Looks again and again until `condition` holds; false when it never does.
[[nodiscard]] bool holds_soon(const std::function<bool()>& condition);

// False also for a process that has ended but was not reaped.
[[nodiscard]] bool is_running(pid_t pid);

// The pids that a script printed, one in each line of `output`.
[[nodiscard]] std::vector<pid_t> parse_pids(const std::string& output);

}  // namespace alca::init::testing
