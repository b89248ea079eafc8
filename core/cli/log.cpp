#include "core/cli/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace alca::cli {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::error:
            break;
    }
    return spdlog::level::err;
}

}  // namespace

Log::Log(int verbosity)
    : logger_(std::make_shared<spdlog::logger>(
          "alca", std::make_shared<spdlog::sinks::stderr_color_sink_mt>())) {
    logger_->set_pattern("%H:%M:%S.%e %^%l%$ %v");
    logger_->set_level(verbosity >= 2   ? spdlog::level::debug
                       : verbosity == 1 ? spdlog::level::info
                                        : spdlog::level::warn);
}

void Log::write(LogLevel level, std::string_view line) const {
    logger_->log(to_spdlog(level), line);
}

}  // namespace alca::cli
