// core/cli/console.hpp - the person in front of alca: lines, progress, questions.
#ifndef ALCA_CORE_CLI_CONSOLE_HPP
#define ALCA_CORE_CLI_CONSOLE_HPP

#include <chrono>
#include <mutex>
#include <string>

#include "alca/call.hpp"
#include "core/flow/ui.hpp"

namespace alca::cli {

// Writes text to stdout, all of it. Names and paths in it may come from a sandbox: what could forge
// or hide output on a terminal is made visible; newlines stay. False: it could not be written.
bool print(std::string_view text);
// Writes "alca: TEXT" and a newline to stderr.
void print_error(std::string_view text);

class Console final : public flow::Ui {
  public:
    // quiet: no steps, no progress; warnings stay. cancel_fd: -1, or readable when the user wants
    // to stop: a question is then answered with no.
    Console(bool quiet, int cancel_fd);

    void step(std::string_view text) override;
    void success(std::string_view text) override;
    void notice(std::string_view text) override;
    void warn(std::string_view text) override;
    [[nodiscard]] std::optional<bool> confirm(std::string_view question) override;

    // On a terminal one line that is rewritten, at most ten times a second; elsewhere a line for
    // each tenth of the way. May be called from any thread.
    void show(const Progress& progress);

  private:
    void line(std::string_view text);
    void end_progress_line();

    const bool quiet_;
    const int cancel_fd_;
    const bool terminal_;
    std::mutex mutex_;  // guards all below
    bool progress_open_ = false;
    std::string progress_step_;
    std::uint64_t progress_tenth_ = 0;
    std::chrono::steady_clock::time_point progress_shown_;
};

}  // namespace alca::cli

#endif
