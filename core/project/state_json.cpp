#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/project/state.hpp"

namespace alca::project {
namespace {

// +1 when an older alca could misread the file; new optional members need none.
constexpr int kSchemaVersion = 1;

constexpr std::array<std::pair<Phase, std::string_view>, 4> kPhases{{
    {Phase::absent, "absent"},
    {Phase::preparing, "preparing"},
    {Phase::created, "created"},
    {Phase::ready, "ready"},
}};

// The id is part of names in the engine and in the kernel: nothing but a UUID may stand there.
bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const std::string_view allowed = dash ? "-" : "0123456789abcdef";
        if (allowed.find(text[i]) == std::string_view::npos) return false;
    }
    return true;
}

Result<void> check_version(const Json& json) {
    int version = 0;
    JsonReader in(json, "state");
    in.require("schema_version", version);
    if (auto read = in.done(version); !read) return fail(read.error());
    if (version > kSchemaVersion) {
        return fail(Code::invalid, "written by a newer alca; upgrade alca to use this project");
    }
    if (version < 1) return fail(Code::invalid, "state.schema_version is out of range");
    return {};
}

Json network_json(const NetworkState& network) {
    return Json{
        {"name", network.name}, {"interface", network.interface}, {"gateways", network.gateways}};
}

Result<NetworkState> network_from_json(const Json& json) {
    NetworkState network;
    JsonReader in(json, "state.network");
    in.read("name", network.name);
    in.read("interface", network.interface);
    in.read("gateways", network.gateways);
    return in.done(std::move(network));
}

Json engine_json(const EngineState& engine) {
    return Json{{"name", engine.name},
                {"shares_kernel", engine.shares_kernel},
                {"rootless", engine.rootless},
                {"net_helper", engine.net_helper}};
}

Result<EngineState> engine_from_json(const Json& json) {
    EngineState engine;
    JsonReader in(json, "state.engine");
    in.read("name", engine.name);
    in.read("shares_kernel", engine.shares_kernel);
    in.read("rootless", engine.rootless);
    in.read("net_helper", engine.net_helper);
    return in.done(std::move(engine));
}

Json process_json(const ProcessState& process) {
    return Json{
        {"pid", process.pid}, {"started", process.started}, {"interfaces", process.interfaces}};
}

Result<ProcessState> process_from_json(const Json& json) {
    ProcessState process;
    JsonReader in(json, "state.process");
    in.read("pid", process.pid);
    in.read("started", process.started);
    in.read("interfaces", process.interfaces);
    return in.done(std::move(process));
}

Json firewall_json(const FirewallState& firewall) {
    Json json{{"plugin", firewall.plugin},
              {"policy", firewall.policy},
              {"dns", firewall.dns},
              {"allow", firewall.allow},
              {"names", firewall.names},
              {"limits", firewall.limits},
              {"strict", firewall.strict},
              {"here", firewall.here},
              {"host", firewall.host},
              {"inside", firewall.inside},
              {"published", firewall.published},
              {"settled", firewall.settled}};
    if (firewall.proxy) json["proxy"] = *firewall.proxy;
    return json;
}

Result<FirewallState> firewall_from_json(const Json& json) {
    FirewallState firewall;
    JsonReader in(json, "state.firewall");
    in.read("plugin", firewall.plugin);
    in.read("policy", firewall.policy);
    in.read("dns", firewall.dns);
    in.read("allow", firewall.allow);
    in.read("names", firewall.names);
    in.read("strict", firewall.strict);
    in.read("proxy", firewall.proxy);
    in.read("limits", firewall.limits);
    in.read("here", firewall.here);
    in.read("host", firewall.host);
    in.read("inside", firewall.inside);
    in.read("settled", firewall.settled);
    in.read("published", firewall.published);
    return in.done(std::move(firewall));
}

Result<void> read_parts(const Json& json, State& state) {
    const Json none = Json::object();
    auto network = network_from_json(json.contains("network") ? json["network"] : none);
    if (!network) return fail(network.error());
    auto firewall = firewall_from_json(json.contains("firewall") ? json["firewall"] : none);
    if (!firewall) return fail(firewall.error());
    auto engine = engine_from_json(json.contains("engine") ? json["engine"] : none);
    if (!engine) return fail(engine.error());
    state.engine = std::move(*engine);
    auto process = process_from_json(json.contains("process") ? json["process"] : none);
    if (!process) return fail(process.error());
    state.process = std::move(*process);
    state.network = std::move(*network);
    state.firewall = std::move(*firewall);
    if (!state.applied_config.is_null() && !state.applied_config.is_object()) {
        return fail(Code::invalid, "state.applied_config must be an object");
    }
    return {};
}

}  // namespace

std::string_view to_string(Phase phase) {
    for (const auto& [value, name] : kPhases) {
        if (value == phase) return name;
    }
    return "unknown";
}

void to_json(Json& json, const ResolvedName& value) {
    json = Json{{"name", value.name}, {"addresses", value.addresses}};
}

Result<ResolvedName> ResolvedName::from_json(const Json& json) {
    ResolvedName value;
    JsonReader in(json, "state.firewall.names");
    in.require("name", value.name);
    in.require("addresses", value.addresses);
    return in.done(std::move(value));
}

Json to_json(const State& state) {
    return Json{
        {"schema_version", kSchemaVersion},
        {"project_id", state.project_id},
        {"project_path", state.directory.path.string()},
        {"device", state.directory.device},
        {"inode", state.directory.inode},
        {"phase", to_string(state.phase)},
        {"runtime", state.runtime},
        {"engine", engine_json(state.engine)},
        {"container_id", state.container_id},
        {"container_name", state.container_name},
        {"process", process_json(state.process)},
        {"image_user", state.image_user},
        {"network", network_json(state.network)},
        {"firewall", firewall_json(state.firewall)},
        {"allow_unprotected", state.allow_unprotected},
        {"unprotected_reason", state.unprotected_reason},
        {"created_at", state.created_at},
        {"applied_config", state.applied_config},
        {"approved_powers", state.approved_powers},
    };
}

Result<State> state_from_json(const Json& json) {
    if (auto version = check_version(json); !version) return fail(version.error());
    State state;
    std::string path;
    std::string phase;
    JsonReader in(json, "state");
    in.require("project_id", state.project_id);
    in.require("project_path", path);
    in.require("device", state.directory.device);
    in.require("inode", state.directory.inode);
    in.require("phase", phase);
    in.read("runtime", state.runtime);
    in.read("container_id", state.container_id);
    in.read("container_name", state.container_name);
    in.read("image_user", state.image_user);
    in.read("allow_unprotected", state.allow_unprotected);
    in.read("unprotected_reason", state.unprotected_reason);
    in.read("created_at", state.created_at);
    in.read("applied_config", state.applied_config);
    in.read("approved_powers", state.approved_powers);
    if (auto read = in.done(true); !read) return fail(read.error());

    if (!is_uuid(state.project_id)) return fail(Code::invalid, "state.project_id is not a UUID");
    state.directory.path = path;
    if (!state.directory.path.is_absolute()) {
        return fail(Code::invalid, "state.project_path is not absolute");
    }
    const auto* known = std::find_if(kPhases.begin(), kPhases.end(),
                                     [&](const auto& entry) { return entry.second == phase; });
    if (known == kPhases.end()) return fail(Code::invalid, "state.phase is not known");
    state.phase = known->first;
    if (auto parts = read_parts(json, state); !parts) return fail(parts.error());
    return state;
}

}  // namespace alca::project
