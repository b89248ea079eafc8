// core/cli/console.hpp - the person in front of alca: lines, progress, questions.
#ifndef ALCA_CORE_CLI_CONSOLE_HPP
#define ALCA_CORE_CLI_CONSOLE_HPP

#include <chrono>
#include <mutex>
#include <string>

#include "alca/call.hpp"
#include "core/flow/ui.hpp"

namespace alca::cli {

// Writes text to stdout, all of it; a closed stdout is nobody's error.
void print(std::string_view text);
// Writes "alca: TEXT" and a newline to stderr.
void print_error(std::string_view text);

class Console final : public flow::Ui {
  public:
    // quiet: no steps, no progress; warnings stay.
    explicit Console(bool quiet);

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
    const bool terminal_;
    std::mutex mutex_;  // guards all below
    bool progress_open_ = false;
    std::string progress_step_;
    std::uint64_t progress_tenth_ = 0;
    std::chrono::steady_clock::time_point progress_shown_;
};

}  // namespace alca::cli

#endif
