#include "plugins/shared/engine_http/network.hpp"

#include <fmt/format.h>

#include <map>

namespace alca::engine_http {

namespace {

constexpr const char* kBridgeNameOption = "com.docker.network.bridge.name";
constexpr unsigned kForbidden = 403;
constexpr unsigned kConflict = 409;
// Networks without a route that the engine knows of and we do not. More of them in a row: give up.
constexpr int kMaxAttempts = 64;

// A network as the engine describes it.
struct EngineNetwork {
    std::string id;
    std::string name;
    std::string driver;
    bool internal = false;
    bool ipv6 = false;
    std::map<std::string, std::string> options;
    std::map<std::string, std::string> labels;
    std::vector<std::string> subnets;
    std::vector<std::string> gateways;
    std::vector<std::string> containers;  // names of those that are joined

    [[nodiscard]] std::string bridge() const {
        const auto it = options.find(kBridgeNameOption);
        return it == options.end() ? std::string() : it->second;
    }
    [[nodiscard]] bool belongs_to(std::string_view project) const {
        const auto it = labels.find(kProjectLabel);
        return it != labels.end() && it->second == project;
    }
};

struct AddressPool {
    std::string subnet;
    std::string gateway;
    static Result<AddressPool> from_json(const Json& json) {
        AddressPool pool;
        JsonReader in(json, "IPAM.Config");
        in.read("Subnet", pool.subnet);
        in.read("Gateway", pool.gateway);
        return in.done(std::move(pool));
    }
};

Result<EngineNetwork> network_of(const Json& json) {
    EngineNetwork network;
    Json ipam = Json::object();
    Json containers = Json::object();
    JsonReader in(json, "network");
    in.require("Id", network.id);
    in.require("Name", network.name);
    in.read("Driver", network.driver);
    in.read("Internal", network.internal);
    in.read("EnableIPv6", network.ipv6);
    in.read("Options", network.options);
    in.read("Labels", network.labels);
    in.read("IPAM", ipam);
    in.read("Containers", containers);
    if (!in.ok()) return in.done(std::move(network));

    std::vector<AddressPool> pools;
    JsonReader ipam_in(ipam, "network.IPAM");
    ipam_in.read("Config", pools);
    if (auto read = ipam_in.done(true); !read) return fail(read.error());
    for (const AddressPool& pool : pools) {
        network.subnets.push_back(pool.subnet);
        network.gateways.push_back(pool.gateway);
    }
    for (const auto& [container_id, endpoint] : containers.items()) {
        std::string name = container_id;
        JsonReader endpoint_in(endpoint, "network.Containers");
        endpoint_in.read("Name", name);
        if (auto read = endpoint_in.done(true); !read) return fail(read.error());
        network.containers.push_back(std::move(name));
    }
    return network;
}

// nullopt: no network has exactly this name. (The engine also finds networks by a part of their
// id.)
Result<std::optional<EngineNetwork>> find_network(Engine& engine, const Call& call,
                                                  const std::string& name) {
    auto reply = engine.get(call, "/networks/" + url_escape(name));
    if (!reply) return fail(reply.error());
    if (reply->status == 404) return std::nullopt;
    const std::string action = "cannot read network " + name;
    if (!reply->is_ok()) return fail(reply->error(action));
    auto network = network_of(reply->json);
    if (!network) return fail(network.error(), action);
    if (network->name != name) return std::nullopt;
    return std::optional<EngineNetwork>(*std::move(network));
}

Json create_body(std::string_view id, const NetworkSpec& spec, const Ipv4Subnet& subnet,
                 int attempt) {
    Json pools = Json::array({{{"Subnet", subnet.text()}, {"Gateway", subnet.first_address()}}});
    if (spec.ipv6) {
        const Ipv6Subnet subnet6 = ipv6_subnet(id, attempt);
        pools.push_back({{"Subnet", subnet6.text}, {"Gateway", subnet6.first_address}});
    }
    return {{"Name", spec.name},
            {"CheckDuplicate", true},  // before API 1.44 a name was not unique by itself
            {"Driver", "bridge"},
            {"Internal", false},
            {"Attachable", false},
            {"EnableIPv6", spec.ipv6},
            {"IPAM", {{"Driver", "default"}, {"Config", std::move(pools)}}},
            {"Options", {{kBridgeNameOption, spec.interface}}},
            {"Labels", {{kProjectLabel, id}}}};
}

// What is wrong with an existing network, or "".
std::string difference(const EngineNetwork& network, std::string_view id, const NetworkSpec& spec) {
    const std::map<std::string, std::string> options{{kBridgeNameOption, spec.interface}};
    if (!network.belongs_to(id)) return "it belongs to something else";
    if (network.driver != "bridge") return fmt::format("its driver is {}", network.driver);
    if (network.bridge() != spec.interface) {
        return fmt::format("its bridge is '{}', not '{}'", network.bridge(), spec.interface);
    }
    if (network.options != options) return "it has other options";
    if (network.internal) return "it is internal";
    if (network.ipv6 != spec.ipv6) {
        return network.ipv6 ? "it has IPv6" : "it has no IPv6";
    }
    if (network.subnets.size() != (spec.ipv6 ? 2U : 1U)) return "it has other subnets";
    for (const std::string& gateway : network.gateways) {
        if (gateway.empty()) return "it has no gateway";
    }
    return {};
}

Result<PreparedNetwork> prepared(const EngineNetwork& network, std::string_view id,
                                 const NetworkSpec& spec, bool created) {
    if (const std::string wrong = difference(network, id, spec); !wrong.empty()) {
        return fail(
            fmt::format("network {} is there already, but {}; remove it: docker network rm "
                        "{}",
                        spec.name, wrong, spec.name));
    }
    return PreparedNetwork{.id = network.id,
                           .interface = spec.interface,
                           .subnets = network.subnets,
                           .gateways = network.gateways,
                           .created = created};
}

// The engine has no code of its own for this. The text only decides whether trying again makes
// sense, never whether something has succeeded.
bool is_overlap(const Reply& reply) {
    return reply.status == kForbidden && reply.message.find("overlap") != std::string::npos;
}

// The bridge is there already: a call that ran at the same time, or one whose alca was killed, made
// it.
bool is_same_bridge(const Reply& reply) {
    return reply.status == kForbidden &&
           reply.message.find("same bridge name") != std::string::npos;
}

// True: made. False: the name is taken, by a call that ran at the same time.
Result<bool> create_network(Engine& engine, const Call& call, std::string_view id,
                            const NetworkSpec& spec, const std::vector<Ipv4Subnet>& routes) {
    const std::string action = "cannot make network " + spec.name;
    SubnetCandidates candidates(id, routes);
    for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
        const auto subnet = candidates.next();
        if (!subnet) break;
        auto reply = engine.make(call, "/networks/create", create_body(id, spec, *subnet, attempt));
        if (!reply) return fail(reply.error());
        if (reply->is_ok()) return true;
        if (reply->status == kConflict || is_same_bridge(*reply)) return false;
        if (!is_overlap(*reply)) return fail(reply->error(action));
    }
    return fail(action +
                ": no free /28 in 172.30.0.0/16, 10.213.0.0/16 and 10.236.0.0/16; remove "
                "networks that are not used: docker network prune");
}

}  // namespace

Result<PreparedNetwork> ensure_network(Engine& engine, const Call& call, std::string_view id,
                                       const NetworkSpec& spec,
                                       const std::vector<Ipv4Subnet>& routes) {
    auto found = find_network(engine, call, spec.name);
    if (!found) return fail(found.error());
    if (const std::optional<EngineNetwork>& network = *found; network) {
        return prepared(*network, id, spec, false);
    }

    auto created = create_network(engine, call, id, spec, routes);
    if (!created) return fail(created.error());
    // Read back what the engine made of it: it ignores what it does not know.
    found = find_network(engine, call, spec.name);
    if (!found) return fail(found.error());
    const std::optional<EngineNetwork>& made = *found;
    if (!made) return fail("network " + spec.name + " is gone again; run the command again");
    return prepared(*made, id, spec, *created);
}

Result<void> remove_network(Engine& engine, const Call& call, std::string_view id,
                            const std::string& name) {
    auto found = find_network(engine, call, name);
    if (!found) return fail(found.error());
    const std::optional<EngineNetwork>& network = *found;
    if (!network) return {};
    if (!network->belongs_to(id)) {
        return fail(fmt::format("network {} belongs to something else; it is left alone", name));
    }
    if (!network->containers.empty()) {
        return fail(fmt::format(
            "network {} is still used by {}; disconnect with: docker network "
            "disconnect {} {}",
            name, fmt::join(network->containers, ", "), name, network->containers.front()));
    }
    auto reply = engine.remove(call, "/networks/" + url_escape(network->id));
    if (!reply) return fail(reply.error());
    if (!reply->is_ok() && reply->status != 404) {
        return fail(reply->error("cannot remove network " + name));
    }
    return {};
}

Result<std::optional<NetworkSpec>> read_network(Engine& engine, const Call& call,
                                                const std::string& name) {
    auto found = find_network(engine, call, name);
    if (!found) return fail(found.error());
    const std::optional<EngineNetwork>& network = *found;
    if (!network) return std::nullopt;
    return NetworkSpec{network->name, network->bridge(), network->ipv6};
}

}  // namespace alca::engine_http
