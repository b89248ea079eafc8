#include "plugins/shared/engine_http/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <set>
#include <string_view>

namespace alca::engine_http {

namespace {

// The kernel's capabilities, and those that engines leave when nothing is dropped.
constexpr std::array<std::string_view, 41> kAllCapabilities{
    "AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
    "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
    "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
    "FOWNER",          "FSETID",       "IPC_LOCK",
    "IPC_OWNER",       "KILL",         "LEASE",
    "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
    "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
    "NET_BROADCAST",   "NET_RAW",      "PERFMON",
    "SETFCAP",         "SETGID",       "SETPCAP",
    "SETUID",          "SYSLOG",       "SYS_ADMIN",
    "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
    "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
    "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
    "SYS_TTY_CONFIG",  "WAKE_ALARM"};
constexpr std::array<std::string_view, 14> kEngineDefault{
    "AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE", "FOWNER",           "FSETID",
    "KILL",        "MKNOD",   "NET_RAW",      "NET_BIND_SERVICE", "SETFCAP",
    "SETGID",      "SETPCAP", "SETUID",       "SYS_CHROOT"};

constexpr std::string_view kSeccomp = "seccomp=";

std::string without_prefix(std::string_view capability) {
    if (capability.starts_with("CAP_")) capability.remove_prefix(4);
    return std::string(capability);
}

bool has_all(const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), "ALL") != list.end() ||
           std::find(list.begin(), list.end(), "CAP_ALL") != list.end();
}

std::vector<std::string> effective_capabilities(const std::vector<std::string>& add,
                                                const std::vector<std::string>& drop) {
    std::set<std::string> set;
    if (has_all(add)) {
        set.insert(kAllCapabilities.begin(), kAllCapabilities.end());
    } else if (!has_all(drop)) {
        set.insert(kEngineDefault.begin(), kEngineDefault.end());
    }
    for (const std::string& name : drop) set.erase(without_prefix(name));
    for (const std::string& name : add) set.insert(without_prefix(name));
    set.erase("ALL");
    return {set.begin(), set.end()};
}

void read_security_options(const std::vector<std::string>& options, SandboxSpec& spec) {
    spec.no_new_privileges = false;
    for (const std::string& option : options) {
        if (option == "no-new-privileges" || option == "no-new-privileges:true" ||
            option == "no-new-privileges=true") {
            spec.no_new_privileges = true;
        } else if (option.starts_with(kSeccomp)) {
            spec.seccomp = option.substr(kSeccomp.size());
        }
    }
}

std::map<std::string, std::string> read_env(const std::vector<std::string>& list) {
    std::map<std::string, std::string> env;
    for (const std::string& entry : list) {
        const std::size_t equals = entry.find('=');
        if (equals == std::string::npos) continue;
        env.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return env;
}

struct EngineMount {
    std::string type, name, source, target;
    bool writable = true;
    static Result<EngineMount> from_json(const Json& json) {
        EngineMount mount;
        JsonReader in(json, "Mounts");
        in.read("Type", mount.type);
        in.read("Name", mount.name);
        in.read("Source", mount.source);
        in.require("Destination", mount.target);
        in.read("RW", mount.writable);
        return in.done(std::move(mount));
    }
};

struct RequestedMount {
    std::string target;
    static Result<RequestedMount> from_json(const Json& json) {
        RequestedMount mount;
        JsonReader in(json, "HostConfig.Mounts");
        in.read("Target", mount.target);
        return in.done(std::move(mount));
    }
};

// The name that engines give to a volume without one.
bool is_anonymous(std::string_view volume) {
    return volume.size() == 64 &&
           volume.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// As an image may write it ("/data/") -> as the engine mounts it ("/data").
std::set<std::string> declared_targets(const Json& volumes) {
    std::set<std::string> targets;
    for (const auto& [path, options] : volumes.items()) {
        std::string target = std::filesystem::path(path).lexically_normal().string();
        if (target.size() > 1 && target.ends_with('/')) target.pop_back();
        targets.insert(std::move(target));
    }
    return targets;
}

// Tells what is mounted from the anonymous volumes that the image declares: they are empty, belong
// to this container alone and go with it.
void read_mounts(const std::vector<EngineMount>& mounts,
                 const std::vector<RequestedMount>& requested, const Json& declared_volumes,
                 SandboxStatus& status) {
    const std::set<std::string> declared = declared_targets(declared_volumes);
    for (const EngineMount& mount : mounts) {
        const bool is_requested =
            std::any_of(requested.begin(), requested.end(),
                        [&mount](const auto& r) { return r.target == mount.target; });
        const bool is_volume = mount.type == "volume";
        if (is_volume && !is_requested && is_anonymous(mount.name) &&
            declared.contains(mount.target)) {
            status.image_volumes.push_back(mount.target);
            continue;
        }
        status.effective.mounts.push_back({.source = is_volume ? std::string() : mount.source,
                                           .volume = is_volume ? mount.name : std::string(),
                                           .target = mount.target,
                                           .read_only = !mount.writable});
    }
}

struct Binding {
    std::string ip, port;
    static Result<Binding> from_json(const Json& json) {
        Binding binding;
        JsonReader in(json, "PortBindings");
        in.read("HostIp", binding.ip);
        in.read("HostPort", binding.port);
        return in.done(std::move(binding));
    }
};

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    if (text.empty()) return port;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) {
        return fail(fmt::format("PortBindings: '{}' is no port", text));
    }
    return port;
}

// {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
Result<std::vector<Port>> read_ports(const Json& bindings) {
    std::vector<Port> ports;
    for (const auto& [key, list] : bindings.items()) {
        const std::size_t slash = key.find('/');
        auto inside = parse_port(std::string_view(key).substr(0, slash));
        if (!inside) return fail(inside.error());
        if (!list.is_array()) continue;
        for (const Json& item : list) {
            auto binding = Binding::from_json(item);
            if (!binding) return fail(binding.error());
            auto outside = parse_port(binding->port);
            if (!outside) return fail(outside.error());
            ports.push_back(
                {.host_ip = binding->ip,
                 .host_port = *outside,
                 .container_port = *inside,
                 .protocol = slash == std::string::npos ? "tcp" : key.substr(slash + 1)});
        }
    }
    return ports;
}

SandboxState state_of(std::string_view status) {
    if (status == "created") return SandboxState::created;
    if (status == "running") return SandboxState::running;
    if (status == "paused") return SandboxState::paused;
    if (status == "exited" || status == "stopped") return SandboxState::stopped;
    return SandboxState::unknown;  // restarting, removing, dead
}

// "/name" -> "name"
std::string plain_name(std::string name) {
    if (name.starts_with('/')) name.erase(0, 1);
    return name;
}

// Seconds since 1970; "" for 0.
std::string rfc3339(std::int64_t seconds) {
    if (seconds == 0) return {};
    const std::time_t time = seconds;
    std::tm parts{};
    if (::gmtime_r(&time, &parts) == nullptr) return {};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Result<void> read_networks(const Json& settings, SandboxStatus& status) {
    Json networks = Json::object();
    JsonReader in(settings, "NetworkSettings");
    in.read("Networks", networks);
    if (auto read = in.done(true); !read) return fail(read.error());
    for (const auto& [name, endpoint] : networks.items()) {
        status.networks.push_back(name);
        if (endpoint.is_null()) continue;
        for (const char* key : {"Gateway", "IPv6Gateway"}) {
            std::string gateway;
            JsonReader endpoint_in(endpoint, "Networks");
            endpoint_in.read(key, gateway);
            if (auto read = endpoint_in.done(true); !read) return fail(read.error());
            if (!gateway.empty()) status.gateways.push_back(std::move(gateway));
        }
    }
    return {};
}

Result<void> read_state(const Json& json, SandboxStatus& status) {
    std::string word;
    JsonReader in(json, "State");
    in.read("Status", word);
    in.read("Pid", status.pid);
    in.read("StartedAt", status.started_at);
    status.state = state_of(word);
    if (status.started_at.starts_with("0001-")) status.started_at.clear();  // Go's zero time
    if (auto read = in.done(true); !read) return fail(read.error());
    return {};
}

Result<void> read_config(const Json& json, SandboxStatus& status, Json& declared_volumes) {
    std::vector<std::string> env;
    std::vector<std::string> arguments;
    SandboxSpec& spec = status.effective;
    JsonReader in(json, "Config");
    in.read("Image", status.image);
    in.read("Entrypoint", spec.init);
    in.read("StopTimeout", spec.stop_timeout_s);
    in.read("Cmd", arguments);
    in.read("User", spec.user);
    in.read("WorkingDir", spec.workdir);
    in.read("Hostname", spec.hostname);
    in.read("Env", env);
    in.read("Labels", status.labels);
    in.read("Volumes", declared_volumes);
    if (auto read = in.done(true); !read) return fail(read.error());
    spec.image = status.image;
    spec.init.insert(spec.init.end(), arguments.begin(), arguments.end());
    spec.env = read_env(env);
    spec.labels = status.labels;
    return {};
}

Result<void> read_host_config(const Json& json, SandboxSpec& spec,
                              std::vector<RequestedMount>& requested) {
    std::vector<std::string> add;
    std::vector<std::string> drop;
    std::vector<std::string> security;
    Json bindings = Json::object();
    JsonReader in(json, "HostConfig");
    in.read("CapAdd", add);
    in.read("CapDrop", drop);
    in.read("SecurityOpt", security);
    in.read("PidsLimit", spec.pids_limit);
    in.read("Memory", spec.memory_bytes);
    in.read("NanoCpus", spec.nano_cpus);
    in.read("Dns", spec.dns);
    in.read("NetworkMode", spec.network.name);
    in.read("PortBindings", bindings);
    in.read("Mounts", requested);
    if (auto read = in.done(true); !read) return fail(read.error());
    spec.capabilities = effective_capabilities(add, drop);
    read_security_options(security, spec);
    auto ports = read_ports(bindings);
    if (!ports) return fail(ports.error());
    spec.ports = *std::move(ports);
    return {};
}

}  // namespace

Result<SandboxStatus> status_of_inspect(const Json& inspect) {
    SandboxStatus status;
    Json state = Json::object();
    Json config = Json::object();
    Json host = Json::object();
    Json network_settings = Json::object();
    Json declared_volumes = Json::object();
    std::vector<EngineMount> mounts;
    std::vector<RequestedMount> requested;
    JsonReader in(inspect, "container");
    in.require("Id", status.container_id);
    in.require("Name", status.name);
    in.read("Created", status.created_at);
    in.require("State", state);
    in.require("Config", config);
    in.require("HostConfig", host);
    in.read("NetworkSettings", network_settings);
    in.read("Mounts", mounts);
    if (!in.ok()) return in.done(std::move(status));
    status.name = plain_name(std::move(status.name));

    if (auto read = read_state(state, status); !read) return fail(read.error());
    if (auto read = read_config(config, status, declared_volumes); !read) return fail(read.error());
    if (auto read = read_host_config(host, status.effective, requested); !read) {
        return fail(read.error());
    }
    if (auto read = read_networks(network_settings, status); !read) return fail(read.error());
    read_mounts(mounts, requested, declared_volumes, status);
    status.effective.name = status.name;
    status.weaknesses = weaknesses_of(inspect);
    return status;
}

Result<SandboxStatus> status_of_list_entry(const Json& entry) {
    SandboxStatus status;
    std::vector<std::string> names;
    std::string word;
    std::int64_t created = 0;
    Json network_settings = Json::object();
    JsonReader in(entry, "container");
    in.require("Id", status.container_id);
    in.read("Names", names);
    in.read("Image", status.image);
    in.read("State", word);
    in.read("Labels", status.labels);
    in.read("Created", created);
    in.read("NetworkSettings", network_settings);
    if (!in.ok()) return in.done(std::move(status));
    if (!names.empty()) status.name = plain_name(names.front());
    status.state = state_of(word);
    status.created_at = rfc3339(created);
    if (auto read = read_networks(network_settings, status); !read) return fail(read.error());
    return status;
}

}  // namespace alca::engine_http
