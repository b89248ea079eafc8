// core/cli/log.hpp - diagnostics on stderr: quiet unless asked for, and never a secret.
#ifndef ALCA_CORE_CLI_LOG_HPP
#define ALCA_CORE_CLI_LOG_HPP

#include <memory>
#include <string_view>

#include "alca/call.hpp"

namespace spdlog {
class logger;
}

namespace alca::cli {

class Log {
  public:
    // verbosity: 0 shows warnings and errors, 1 (-v) information, 2 (-vv) each engine request.
    explicit Log(int verbosity);
    void write(LogLevel level, std::string_view line) const;

  private:
    std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace alca::cli

#endif
