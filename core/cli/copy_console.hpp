// core/cli/copy_console.hpp - the person in front of `alca cp`.
#ifndef ALCA_CORE_CLI_COPY_CONSOLE_HPP
#define ALCA_CORE_CLI_COPY_CONSOLE_HPP

#include <chrono>
#include <mutex>

#include "core/flow/copy_files.hpp"

namespace alca::cli {

// Everything goes to stderr: stdout may be the stream. Progress only on a terminal, and when there
// is something to wait for.
class CopyConsole final : public flow::CopyListener {
  public:
    explicit CopyConsole(bool quiet);
    CopyConsole(const CopyConsole&) = delete;
    CopyConsole& operator=(const CopyConsole&) = delete;
    ~CopyConsole() override;

    void problem(std::string_view text) override;
    void note(std::string_view text) override { problem(text); }
    void progress(std::uint64_t files, std::uint64_t bytes) override;

  private:
    void clear_line();

    const bool shows_progress_;
    std::mutex mutex_;  // guards all below
    bool has_line_ = false;
    std::chrono::steady_clock::time_point next_;  // when a line is due
};

}  // namespace alca::cli

#endif
