// Included by alca/runtime.hpp: the JSON form of its structs.
#ifndef ALCA_DETAIL_RUNTIME_JSON_HPP
#define ALCA_DETAIL_RUNTIME_JSON_HPP

#include "alca/runtime.hpp"

namespace alca {

inline void to_json(Json& json, const RuntimeProbe& value) {
    json = Json{{"available", value.available}, {"engine", value.engine},
                {"version", value.version},     {"api_version", value.api_version},
                {"endpoint", value.endpoint},   {"endpoint_from", value.endpoint_from},
                {"reason", value.reason},       {"shares_kernel", value.shares_kernel},
                {"rootless", value.rootless},   {"net_helper", value.net_helper}};
}
inline Result<RuntimeProbe> RuntimeProbe::from_json(const Json& json) {
    RuntimeProbe value;
    JsonReader in(json, "probe");
    in.require("available", value.available);
    in.read("engine", value.engine);
    in.read("version", value.version);
    in.read("api_version", value.api_version);
    in.read("endpoint", value.endpoint);
    in.read("endpoint_from", value.endpoint_from);
    in.read("reason", value.reason);
    in.read("shares_kernel", value.shares_kernel);
    in.read("rootless", value.rootless);
    in.read("net_helper", value.net_helper);
    return in.done(value);
}

inline void to_json(Json& json, const Mount& value) {
    json = Json{{"source", value.source},
                {"volume", value.volume},
                {"target", value.target},
                {"read_only", value.read_only}};
}
inline Result<Mount> Mount::from_json(const Json& json) {
    Mount value;
    JsonReader in(json, "mount");
    in.read("source", value.source);
    in.read("volume", value.volume);
    in.require("target", value.target);
    in.read("read_only", value.read_only);
    return in.done(value);
}

inline void to_json(Json& json, const Port& value) {
    json = Json{{"host_ip", value.host_ip},
                {"host_port", value.host_port},
                {"container_port", value.container_port},
                {"protocol", value.protocol}};
}
inline Result<Port> Port::from_json(const Json& json) {
    Port value;
    JsonReader in(json, "port");
    in.read("host_ip", value.host_ip);
    in.require("host_port", value.host_port);
    in.require("container_port", value.container_port);
    in.read("protocol", value.protocol);
    return in.done(value);
}

inline void to_json(Json& json, const NetworkSpec& value) {
    json = Json{{"name", value.name}, {"interface", value.interface}, {"ipv6", value.ipv6}};
}
inline Result<NetworkSpec> NetworkSpec::from_json(const Json& json) {
    NetworkSpec value;
    JsonReader in(json, "network");
    in.require("name", value.name);
    in.require("interface", value.interface);
    in.read("ipv6", value.ipv6);
    return in.done(value);
}

inline void to_json(Json& json, const SandboxSpec& value) {
    json = Json{{"id", value.id},
                {"name", value.name},
                {"project_path", value.project_path},
                {"image", value.image},
                {"init", value.init},
                {"user", value.user},
                {"workdir", value.workdir},
                {"hostname", value.hostname},
                {"dns", value.dns},
                {"env", value.env},
                {"labels", value.labels},
                {"mounts", value.mounts},
                {"ports", value.ports},
                {"capabilities", value.capabilities},
                {"no_new_privileges", value.no_new_privileges},
                {"seccomp", value.seccomp},
                {"pids_limit", value.pids_limit},
                {"memory_bytes", value.memory_bytes},
                {"nano_cpus", value.nano_cpus},
                {"stop_timeout_s", value.stop_timeout_s},
                {"network", value.network}};
}

namespace detail {
// Members that `json` lacks stay as `value` has them.
inline Result<SandboxSpec> read_spec(const Json& json, SandboxSpec value) {
    JsonReader in(json, "sandbox");
    in.read("id", value.id);
    in.read("name", value.name);
    in.read("project_path", value.project_path);
    in.read("image", value.image);
    in.read("init", value.init);
    in.read("user", value.user);
    in.read("workdir", value.workdir);
    in.read("hostname", value.hostname);
    in.read("dns", value.dns);
    in.read("env", value.env);
    in.read("labels", value.labels);
    in.read("mounts", value.mounts);
    in.read("ports", value.ports);
    in.read("capabilities", value.capabilities);
    in.read("no_new_privileges", value.no_new_privileges);
    in.read("seccomp", value.seccomp);
    in.read("pids_limit", value.pids_limit);
    in.read("memory_bytes", value.memory_bytes);
    in.read("nano_cpus", value.nano_cpus);
    in.read("stop_timeout_s", value.stop_timeout_s);
    in.read("network", value.network);
    return in.done(value);
}
}  // namespace detail

inline Result<SandboxSpec> SandboxSpec::from_json(const Json& json) {
    return detail::read_spec(json, SandboxSpec{});
}

inline SandboxSpec SandboxSpec::unreported() {
    SandboxSpec spec;
    spec.no_new_privileges = false;
    return spec;
}

inline void to_json(Json& json, const SandboxRef& value) {
    json = Json{{"id", value.id},
                {"name", value.name},
                {"container_id", value.container_id},
                {"network_name", value.network_name}};
}
inline Result<SandboxRef> SandboxRef::from_json(const Json& json) {
    SandboxRef value;
    JsonReader in(json, "sandbox");
    in.require("id", value.id);
    in.require("name", value.name);
    in.read("container_id", value.container_id);
    in.read("network_name", value.network_name);
    return in.done(value);
}

inline void to_json(Json& json, const PreparedImage& value) {
    json =
        Json{{"id", value.id}, {"user", value.user}, {"env", value.env}, {"pulled", value.pulled}};
}
inline Result<PreparedImage> PreparedImage::from_json(const Json& json) {
    PreparedImage value;
    JsonReader in(json, "image");
    in.require("id", value.id);
    in.read("user", value.user);
    in.read("env", value.env);
    in.read("pulled", value.pulled);
    return in.done(value);
}

inline void to_json(Json& json, const PreparedNetwork& value) {
    json = Json{{"id", value.id},
                {"interface", value.interface},
                {"subnets", value.subnets},
                {"gateways", value.gateways},
                {"created", value.created}};
}
inline Result<PreparedNetwork> PreparedNetwork::from_json(const Json& json) {
    PreparedNetwork value;
    JsonReader in(json, "network");
    in.require("id", value.id);
    in.require("interface", value.interface);
    in.read("subnets", value.subnets);
    in.require("gateways", value.gateways);
    in.read("created", value.created);
    return in.done(value);
}

inline void to_json(Json& json, const Prepared& value) {
    json = Json{{"image", value.image}, {"network", value.network}};
}
inline Result<Prepared> Prepared::from_json(const Json& json) {
    Prepared value;
    JsonReader in(json, "prepared");
    in.require("image", value.image);
    in.require("network", value.network);
    return in.done(value);
}

inline void to_json(Json& json, const Created& value) {
    json = Json{{"container_id", value.container_id}};
}
inline Result<Created> Created::from_json(const Json& json) {
    Created value;
    JsonReader in(json, "created");
    in.require("container_id", value.container_id);
    return in.done(value);
}

inline void to_json(Json& json, const ExecRequest& value) {
    json = Json{{"sandbox", value.sandbox},
                {"argv", value.argv},
                {"env", value.env},
                {"cwd", value.cwd},
                {"user", value.user}};
}
inline Result<ExecRequest> ExecRequest::from_json(const Json& json) {
    ExecRequest value;
    JsonReader in(json, "exec");
    in.require("sandbox", value.sandbox);
    in.require("argv", value.argv);
    in.read("env", value.env);
    in.read("cwd", value.cwd);
    in.read("user", value.user);
    return in.done(value);
}

inline std::string_view to_string(SandboxState state) {
    switch (state) {
        case SandboxState::absent:
            return "absent";
        case SandboxState::created:
            return "created";
        case SandboxState::running:
            return "running";
        case SandboxState::stopped:
            return "stopped";
        case SandboxState::paused:
            return "paused";
        case SandboxState::unknown:
            break;
    }
    return "unknown";
}

inline void to_json(Json& json, const SandboxStatus& value) {
    json = Json{{"state", to_string(value.state)},
                {"container_id", value.container_id},
                {"name", value.name},
                {"image", value.image},
                {"started_at", value.started_at},
                {"created_at", value.created_at},
                {"pid", value.pid},
                {"networks", value.networks},
                {"gateways", value.gateways},
                {"image_volumes", value.image_volumes},
                {"weaknesses", value.weaknesses},
                {"labels", value.labels},
                {"effective", value.effective}};
}
inline Result<SandboxStatus> SandboxStatus::from_json(const Json& json) {
    SandboxStatus value;
    std::string state;
    JsonReader in(json, "status");
    in.require("state", state);
    in.read("container_id", value.container_id);
    in.read("name", value.name);
    in.read("image", value.image);
    in.read("started_at", value.started_at);
    in.read("created_at", value.created_at);
    in.read("pid", value.pid);
    in.read("networks", value.networks);
    in.read("gateways", value.gateways);
    in.read("image_volumes", value.image_volumes);
    in.read("weaknesses", value.weaknesses);
    in.read("labels", value.labels);
    Json effective = Json::object();
    in.read("effective", effective);
    if (!in.ok()) return in.done(value);
    auto spec = detail::read_spec(effective, SandboxSpec::unreported());
    if (!spec) return fail(spec.error(), "status.effective");
    value.effective = *std::move(spec);
    // A state of a later version is "unknown", which nothing treats as running.
    value.state = SandboxState::unknown;
    for (SandboxState known : {SandboxState::absent, SandboxState::created, SandboxState::running,
                               SandboxState::stopped, SandboxState::paused}) {
        if (state == to_string(known)) value.state = known;
    }
    return in.done(value);
}

inline void to_json(Json& json, const NetHelperRequest& value) {
    json = Json{{"archive", value.archive}, {"inside", value.inside}, {"sandbox", value.sandbox}};
}
inline Result<NetHelperRequest> NetHelperRequest::from_json(const Json& json) {
    NetHelperRequest value;
    JsonReader in(json, "request");
    in.require("archive", value.archive);
    in.read("inside", value.inside);
    in.read("sandbox", value.sandbox);
    return in.done(value);
}

}  // namespace alca

#endif
