#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "core/config/config.hpp"
#include "core/config/reader.hpp"
#include "core/config/text.hpp"

namespace alca::config {

Result<void> check_mount_sources(const Config& config) {
    Problems problems(config.file.string());
    for (const MountSetting& setting : config.mounts) {
        const std::string& source = setting.mount.source;
        if (source.empty()) continue;
        std::error_code error;
        const fs::path now = fs::canonical(source, error);
        if (error) {
            const std::string what = error == std::errc::no_such_file_or_directory
                                         ? "does not exist; create it, or remove the mount"
                                         : error.message();
            problems.add(setting.position,
                         fmt::format("mount source {} {}", in_quotes(source), what));
        } else if (now != source) {
            // Approval was for another place than the one that would be mounted.
            problems.add(setting.position, fmt::format("mount source {} became a symlink while "
                                                       "alca was at work; run it again",
                                                       in_quotes(source)));
        }
    }
    if (!problems.empty()) return fail(problems.error());
    return {};
}

}  // namespace alca::config
