// core/config/config.hpp - the settings of one project, as .alca.toml gives them, checked and
// typed.
//
// Everything here has passed validation: paths are absolute, numbers in range, names known. The
// table of all keys, with type, default and help, is in keys.hpp.
#ifndef ALCA_CORE_CONFIG_CONFIG_HPP
#define ALCA_CORE_CONFIG_CONFIG_HPP

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "alca/json.hpp"
#include "alca/runtime.hpp"

namespace alca::config {

namespace fs = std::filesystem;

// Where something stands in the configuration file, both from 1. {0, 0}: it is a default.
struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

struct Commands {
    std::string up;     // `sh -c` text, once after creation, as root of the sandbox; "" = none
    std::string enter;  // text that `alca run` puts before the command; "" = none
    // First word of `alca run` -> the argument vector that replaces it; never empty.
    std::map<std::string, std::vector<std::string>, std::less<>> aliases;
};

// One mount. `mount.source` is absolute with symlinks resolved (as far as it exists);
// `mount.volume` is the name in the file: the caller makes the engine's name from it and the
// project's id.
struct MountSetting {
    Mount mount;
    std::string written;  // the source as written, for messages
    Position position;
};

struct Resources {
    std::int64_t memory_bytes = 0;  // 0: no limit
    std::int64_t nano_cpus = 0;     // 1e9 = one CPU; 0: no limit
    std::int64_t pids = 4096;       // never without limit
};

// The value is still unexpanded: see expand.hpp.
struct EnvSetting {
    std::string value;
    bool override_on_enter =
        false;  // expanded again from the host's environment on each `alca run`
    Position position;
};

// One entry of network.lan-access that is not "*".
struct LanRule {
    std::string text;  // in its one canonical form: what approvals and messages show
    std::string name;  // a host name, looked up at `up`; "" = rule.to is set
    AllowRule rule;
    friend bool operator==(const LanRule&, const LanRule&) = default;
};

struct Network {
    bool open = false;                // lan-access has "*": no blocking
    std::vector<LanRule> lan_access;  // empty when open
    std::vector<std::string> dns;     // addresses of resolvers; empty = the host's
    std::vector<Port> ports;
    bool ipv6 = false;
    bool strict = false;  // closed too when another program takes the rules away; never with open
    std::optional<TcpProxy> proxy;
    TrafficLimits limits;
};

struct Config {
    fs::path file;         // as it was given to load
    fs::path project_dir;  // absolute, symlinks resolved
    fs::path home;         // the user's home directory, "" when there is none
    std::string image;
    std::string workdir = "/workspace";    // absolute, normal form
    std::string runtime = "auto";          // "auto" or a runtime id: "docker", "podman", ...
    std::string user;                      // "" = the image's, "host", a name, "uid" or "uid:gid"
    std::chrono::seconds stop_timeout{2};  // from TERM to KILL when the sandbox ends
    Commands commands;
    std::vector<MountSetting> mounts;  // the first is the project directory at workdir
    Resources resources;
    std::map<std::string, EnvSetting, std::less<>> envs;  // the built-in ones included
    Network network;
    std::vector<std::string> caps;  // the exact set, sorted, without the prefix CAP_
};

// The part of `config` that a sandbox is made from, for project::drift and `alca config show`.
// Holds no environment value: a literal one is there as its digest.
[[nodiscard]] Json applied_form(const Config& config);

// The argument vector that `argv` (never empty) stands for: commands.aliases applied to its first
// word, once.
[[nodiscard]] std::vector<std::string> with_alias(const Config& config,
                                                  std::vector<std::string> argv);

// Checks that every mount source exists and is still where load found it (nothing on the way became
// a symlink). To be asked right before the sandbox is made. Errors: invalid, all of them, with
// their places.
[[nodiscard]] Result<void> check_mount_sources(const Config& config);

// True for a `commands.up` that only keeps a container alive, as in files for other tools: `sleep
// infinity`, `tail -f /dev/null`, `cat`, also with `exec` before it. Such text is never run.
[[nodiscard]] bool is_keepalive(std::string_view command);

}  // namespace alca::config

#endif
