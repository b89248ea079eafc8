// .alca.toml, which lies where the sandbox can write.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/config/config.hpp"
#include "core/config/load.hpp"
#include "core/config/powers.hpp"
#include "fuzz/support/target.hpp"

namespace alca::fuzz {
namespace {

constexpr std::string_view kFile = "/project/.alca.toml";

bool is_absolute(const std::string& path) { return path.starts_with('/'); }

// Up to 10 problems and a last line that counts the others.
void check_message(std::string_view message) {
    claim(!message.empty(), "an error has a message");
    claim(std::count(message.begin(), message.end(), '\n') <= 10, "at most 10 problems are named");
    while (!message.empty()) {
        const std::string_view line = message.substr(0, message.find('\n'));
        claim(line.starts_with(kFile), "each line names the file");
        claim(is_printable(line), "a message is printable");
        message.remove_prefix(std::min(line.size() + 1, message.size()));
    }
}

void check_config(const config::Config& config) {
    claim(!config.image.empty() && is_absolute(config.workdir), "image and workdir");
    claim(!config.mounts.empty() && config.mounts.front().mount.target == config.workdir,
          "the first mount is the project");
    for (const config::MountSetting& setting : config.mounts) {
        claim(is_absolute(setting.mount.target), "targets of mounts are absolute");
        claim(setting.mount.source.empty() != setting.mount.volume.empty(), "source or volume");
        claim(setting.mount.source.empty() || is_absolute(setting.mount.source), "sources too");
    }
    claim(config.resources.pids > 0 && config.resources.memory_bytes >= 0 &&
              config.resources.nano_cpus >= 0,
          "limits");
    claim(!config.network.open || (config.network.lan_access.empty() && !config.network.strict),
          "an open network has no exceptions");
    claim(std::is_sorted(config.caps.begin(), config.caps.end()), "capabilities are sorted");
}

}  // namespace

void one_input(std::string_view input) {
    const config::Environment environment{{"HOME", "/home/me"}, {"NAME", "value"}};
    const config::LoadContext context{"/project", "/home/me", environment};
    const auto config = config::parse(input, kFile, context);
    if (!config) {
        check_message(config.error().message);
        return;
    }
    check_config(*config);
    for (const config::Power& power : config::powers(*config)) {
        claim(!power.id.empty() && is_printable(power.text), "a power can be shown");
    }
    claim(dump(config::applied_form(*config)) == dump(config::applied_form(*config)),
          "the applied form is one");
    static_cast<void>(config::creation_environment(*config, environment));
    static_cast<void>(config::enter_environment(*config, environment));
}

}  // namespace alca::fuzz
