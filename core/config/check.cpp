#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/config/config.hpp"
#include "core/config/reader.hpp"
#include "core/config/text.hpp"
#include "core/os/file.hpp"

namespace alca::config {

std::string location(const Config& config, Position position) {
    const std::string file = printable(config.file.string());
    if (position.line == 0) return fmt::format("{}: ", file);
    return fmt::format("{}:{}:{}: ", file, position.line, position.column);
}

Result<void> check_mount_sources(const Config& config) {
    Problems problems(config.file.string());
    for (const MountSetting& setting : config.mounts) {
        struct stat info{};
        if (setting.mount.source.empty() || ::stat(setting.mount.source.c_str(), &info) == 0) {
            continue;
        }
        const std::string what = errno == ENOENT ? "does not exist; create it, or remove the mount"
                                                 : os::errno_text(errno);
        problems.add(setting.position,
                     fmt::format("mount source {} {}", in_quotes(setting.mount.source), what));
    }
    if (!problems.empty()) return fail(problems.error());
    return {};
}

}  // namespace alca::config
