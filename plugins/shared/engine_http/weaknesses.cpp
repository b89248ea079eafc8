#include <fmt/format.h>

#include <array>
#include <string_view>

#include "plugins/shared/engine_http/inspect.hpp"

namespace alca::engine_http {

namespace {

const Json& member(const Json& json, const char* key) {
    static const Json kNull;
    if (!json.is_object()) return kNull;
    const auto it = json.find(key);
    return it == json.end() ? kNull : *it;
}

std::string text_at(const Json& json, const char* key) {
    const Json& value = member(json, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

// Null, false, "", 0, {} and [] all mean that an option is not in use.
bool is_unset(const Json& value) {
    if (value.is_boolean()) return !value.get<bool>();
    if (value.is_number()) return value == 0;
    if (value.is_string()) return value.get_ref<const std::string&>().empty();
    return value.empty();
}

// A namespace that is shared with the host or with another container.
bool is_shared(std::string_view mode) {
    return mode == "host" || mode == "shareable" || mode.starts_with("container:") ||
           mode.starts_with("ns:");
}

struct Named {
    const char* key;
    const char* words;
};

// Options that must not be set at all.
constexpr std::array<Named, 16> kMustBeUnset{{
    {"Privileged", "privileged"},
    {"PublishAllPorts", "all ports published"},
    {"Devices", "devices"},
    {"DeviceRequests", "device requests"},
    {"DeviceCgroupRules", "device rules"},
    {"GroupAdd", "additional groups"},
    {"VolumesFrom", "volumes of another container"},
    {"Links", "links to other containers"},
    {"Sysctls", "kernel settings"},
    {"CgroupParent", "another cgroup parent"},
    {"Cgroup", "another container's cgroup"},
    {"ExtraHosts", "additional host names"},
    {"CpuRealtimeRuntime", "real-time scheduling"},
    {"OomKillDisable", "never killed when memory ends"},
    {"Tmpfs", "additional tmpfs"},
    {"VolumeDriver", "a volume driver"},
}};

constexpr std::array<Named, 6> kNamespaces{{
    {"NetworkMode", "network"},
    {"PidMode", "pid namespace"},
    {"IpcMode", "ipc namespace"},
    {"UTSMode", "uts namespace"},
    {"UsernsMode", "user namespace"},
    {"CgroupnsMode", "cgroup namespace"},
}};

void add_security_options(const Json& host, std::vector<std::string>& found) {
    const Json& options = member(host, "SecurityOpt");
    if (!options.is_array()) return;
    for (const Json& item : options) {
        const std::string option = item.is_string() ? item.get<std::string>() : dump(item);
        const bool is_expected = option == "no-new-privileges" ||
                                 option == "no-new-privileges:true" ||
                                 option == "no-new-privileges=true" ||
                                 (option.starts_with("seccomp=") && option != "seccomp=unconfined");
        if (!is_expected) found.push_back("security option " + option);
    }
}

// An engine that hides less of /proc than it does by default.
void add_masks(const Json& host, std::vector<std::string>& found) {
    for (const char* key : {"MaskedPaths", "ReadonlyPaths"}) {
        const Json& paths = member(host, key);
        if (paths.is_array() && paths.empty()) found.push_back(std::string(key) + " emptied");
    }
}

void add_mounts(const Json& inspect, std::vector<std::string>& found) {
    const Json& mounts = member(inspect, "Mounts");
    if (!mounts.is_array()) return;
    for (const Json& mount : mounts) {
        const std::string source = text_at(mount, "Source");
        const std::string propagation = text_at(mount, "Propagation");
        if (source.ends_with("/docker.sock") || source.ends_with("/podman.sock") ||
            source.ends_with("/containerd.sock")) {
            found.push_back("engine socket mounted from " + source);
        }
        if (!propagation.empty() && propagation != "rprivate" && propagation != "private") {
            found.push_back(fmt::format("mount {} propagates ({})", text_at(mount, "Destination"),
                                        propagation));
        }
    }
}

}  // namespace

std::vector<std::string> weaknesses_of(const Json& inspect) {
    std::vector<std::string> found;
    const Json& host = member(inspect, "HostConfig");
    if (!host.is_object()) return {"the engine reports no HostConfig"};
    for (const Named& option : kMustBeUnset) {
        if (!is_unset(member(host, option.key))) found.emplace_back(option.words);
    }
    for (const Named& space : kNamespaces) {
        const std::string mode = text_at(host, space.key);
        if (is_shared(mode)) found.push_back(fmt::format("{} {}", mode, space.words));
    }
    const std::string restart = text_at(member(host, "RestartPolicy"), "Name");
    if (!restart.empty() && restart != "no") {
        found.push_back(fmt::format("started by the engine without checks (restart {})", restart));
    }
    const Json& networks = member(member(inspect, "NetworkSettings"), "Networks");
    if (networks.size() > 1) found.emplace_back("joined to more than one network");
    add_security_options(host, found);
    add_masks(host, found);
    add_mounts(inspect, found);
    return found;
}

}  // namespace alca::engine_http
