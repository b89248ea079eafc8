#include "plugins/shared/engine_http/create.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "plugins/shared/engine_http/network.hpp"

namespace alca::engine_http {

namespace {

Json environment_of(const SandboxSpec& spec) {
    Json list = Json::array();
    for (const auto& [name, value] : spec.env) list.push_back(fmt::format("{}={}", name, value));
    return list;
}

// "Mounts", not "Binds": for those an engine would create a missing source as an empty directory.
Json mounts_of(const SandboxSpec& spec) {
    Json list = Json::array();
    for (const Mount& mount : spec.mounts) {
        if (mount.volume.empty()) {
            list.push_back({{"Type", "bind"},
                            {"Source", mount.source},
                            {"Target", mount.target},
                            {"ReadOnly", mount.read_only},
                            {"BindOptions", {{"Propagation", "rprivate"}}}});
        } else {
            list.push_back({{"Type", "volume"},
                            {"Source", mount.volume},
                            {"Target", mount.target},
                            {"ReadOnly", mount.read_only},
                            {"VolumeOptions", {{"Labels", {{kProjectLabel, spec.id}}}}}});
        }
    }
    return list;
}

std::string port_key(const Port& port) {
    return fmt::format("{}/{}", port.container_port, port.protocol);
}

Json exposed_ports_of(const SandboxSpec& spec) {
    Json ports = Json::object();
    for (const Port& port : spec.ports) ports[port_key(port)] = Json::object();
    return ports;
}

Json port_bindings_of(const SandboxSpec& spec) {
    Json bindings = Json::object();
    for (const Port& port : spec.ports) {
        bindings[port_key(port)].push_back(
            {{"HostIp", port.host_ip},
             {"HostPort", port.host_port == 0 ? "" : std::to_string(port.host_port)}});
    }
    return bindings;
}

Json security_options_of(const SandboxSpec& spec) {
    Json options = Json::array();
    if (spec.no_new_privileges) options.push_back("no-new-privileges");
    if (!spec.seccomp.empty()) options.push_back("seccomp=" + spec.seccomp);
    return options;
}

Json host_config_of(const SandboxSpec& spec) {
    return {
        {"NetworkMode", spec.network.name},
        {"Mounts", mounts_of(spec)},
        {"PortBindings", port_bindings_of(spec)},
        {"CapDrop", Json::array({"ALL"})},
        {"CapAdd", spec.capabilities},
        {"SecurityOpt", security_options_of(spec)},
        {"Privileged", false},
        {"PidsLimit", spec.pids_limit},
        {"Memory", spec.memory_bytes},
        {"MemorySwap", spec.memory_bytes},  // the same number: no swap beyond the limit
        {"NanoCpus", spec.nano_cpus},
        {"IpcMode", "private"},
        {"CgroupnsMode", "private"},
        {"Dns", spec.dns},
        {"Init", false},  // process 1 is ours
        // Never started by the engine: after a reboot the network rules are gone, and a source of a
        // mount may be another one. `alca up` starts it, with all its checks.
        {"RestartPolicy", {{"Name", "no"}}},
        {"LogConfig", {{"Type", "json-file"}, {"Config", {{"max-size", "1m"}, {"max-file", "1"}}}}},
    };
}

Result<void> check_source(const std::string& source) {
    if (!source.starts_with('/')) {
        return fail(Code::invalid, fmt::format("mount source {} is not an absolute path", source));
    }
    struct stat info{};
    if (::stat(source.c_str(), &info) == 0) return {};
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) {
        return fail(
            Code::not_found,
            fmt::format("mount source {} does not exist; create it or remove the mount", source));
    }
    return fail(error == EACCES ? Code::denied : Code::failed,
                fmt::format("mount source {}: {}", source, std::generic_category().message(error)));
}

}  // namespace

Json create_body(const SandboxSpec& spec) {
    Json body{
        {"Image", spec.image},
        {"Entrypoint", spec.init},
        {"Cmd", Json::array()},
        {"User", spec.user},
        {"WorkingDir", spec.workdir},
        {"Hostname", spec.hostname},
        {"Env", environment_of(spec)},
        {"Labels", spec.labels},
        {"ExposedPorts", exposed_ports_of(spec)},
        {"Tty", false},
        {"OpenStdin", false},
        {"Healthcheck", {{"Test", Json::array({"NONE"})}}},  // an image's own would run commands
        {"StopSignal", "SIGTERM"},  // an image may name one that process 1 does not end on
        {"HostConfig", host_config_of(spec)},
    };
    if (spec.stop_timeout_s > 0) body["StopTimeout"] = spec.stop_timeout_s;
    return body;
}

Result<void> check_spec(const SandboxSpec& spec) {
    const auto missing = [](std::string_view what) {
        return fail(Code::invalid, fmt::format("the sandbox's {} is empty", what));
    };
    if (spec.id.empty()) return missing("id");
    if (spec.name.empty()) return missing("name");
    if (spec.image.empty()) return missing("image");
    if (spec.init.empty()) return missing("init");
    if (spec.network.name.empty() || spec.network.interface.empty()) return missing("network");
    const auto label = spec.labels.find(kProjectLabel);
    if (label == spec.labels.end() || label->second != spec.id) {
        return fail(Code::invalid,
                    fmt::format("the label {} is not the sandbox's id", kProjectLabel));
    }
    for (const Mount& mount : spec.mounts) {
        if (mount.source.empty() == mount.volume.empty()) {
            return fail(Code::invalid, fmt::format("the mount at {} needs either a source or a "
                                                   "volume",
                                                   mount.target));
        }
        if (!mount.volume.empty()) continue;
        if (auto checked = check_source(mount.source); !checked) return checked;
    }
    return {};
}

}  // namespace alca::engine_http
