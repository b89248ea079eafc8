// alca/firewall.hpp - the typed form of alca.firewall/1 (alca/firewall.h): data and class.
#ifndef ALCA_FIREWALL_HPP
#define ALCA_FIREWALL_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alca/call.hpp"
#include "alca/firewall.h"
#include "alca/json.hpp"
#include "alca/result.hpp"
#include "alca/traffic.hpp"

namespace alca {

struct FirewallProbe {
    bool available = false;
    bool needs_root = false;  // it would work with CAP_NET_ADMIN
    std::string layer;        // what `alca status` shows: "host nftables"
    bool by_helper = false;   // through an installed helper with the right that is missing here
    bool enters = false;      // can put up FirewallLayer::inside by FirewallRequest::pid
    std::string reason;       // why not available, and what to do; "" when available
    bool strict = false;      // FirewallRequest::strict is understood
    bool traffic = false;     // FirewallRequest::proxy and limits are
    bool inside = false;      // FirewallLayer::inside is
    static Result<FirewallProbe> from_json(const Json& json);
};

enum class NetworkPolicy {
    internet,  // internet yes; LAN, host, other sandboxes and containers no; both families
    open,      // no blocking
};
[[nodiscard]] std::string_view to_string(NetworkPolicy policy);

// Both are allowed; last >= first >= 1.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    friend bool operator==(const PortRange&, const PortRange&) = default;
    static Result<PortRange> from_json(const Json& json);
};

// A destination that the policy "internet" would refuse and the user allows.
struct AllowRule {
    static constexpr const char* kHost = "host";  // this machine, by any of its addresses

    std::string to;  // kHost, or an address or CIDR: "10.0.0.0/8", "fd00::1"
    std::vector<std::string> protocols = {};  // "tcp", "udp"; empty: TCP, UDP and ICMP
    std::vector<PortRange> ports = {};        // empty: every port. Only with protocols
    friend bool operator==(const AllowRule&, const AllowRule&) = default;
    static Result<AllowRule> from_json(const Json& json);
};

// Where the rules are. Each layer alone keeps the policy.
enum class FirewallLayer {
    host,    // where the sandbox's traffic is routed: known by its interface
    inside,  // in the sandbox's own network namespace
};
[[nodiscard]] std::string_view to_string(FirewallLayer layer);

// A port of the sandbox that others may connect to.
struct PublishedPort {
    std::string protocol;  // "tcp", "udp"
    std::uint16_t port = 0;
    bool local = false;  // from this host only
    friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
    static Result<PublishedPort> from_json(const Json& json);
};

struct FirewallRequest {
    std::string sandbox_id;
    std::string interface;  // of the sandbox's bridge; at most 15 bytes, starts with "alca"
    NetworkPolicy policy = NetworkPolicy::internet;
    std::vector<std::string> dns;  // addresses of the host's resolvers: reachable on port 53 only
    std::vector<AllowRule> allow = {};  // 256 at most; without meaning for the policy "open"
    // Nothing is forwarded for the interface even when somebody takes the rules away. Likewise
    // without meaning for "open". Only for a plugin whose probe says that it understands it.
    bool strict = false;
    std::optional<TcpProxy> proxy = {};  // of either policy
    TrafficLimits limits = {};           // of either policy
    FirewallLayer layer = FirewallLayer::host;
    // The rest is for FirewallLayer::inside. pid: a process in the sandbox's namespace; without
    // meaning for an instance that is connected to an alca-net there.
    std::int64_t pid = 0;
    std::vector<std::string> gateways = {};  // this host's addresses on the sandbox's network
    std::vector<PublishedPort> published = {};
    static Result<FirewallRequest> from_json(const Json& json);
};

// The kernel's rules compared with what must be there for one request.
struct FirewallVerdict {
    bool intact = false;
    std::string problem;  // what differs; "" when intact
    static Result<FirewallVerdict> from_json(const Json& json);
};

// A destination that was refused. Ports of ICMP and the like are not noted.
struct BlockedTarget {
    std::string address;
    std::string protocol;  // "tcp", "udp"
    std::uint16_t port = 0;
    std::uint64_t packets = 0;
    friend bool operator==(const BlockedTarget&, const BlockedTarget&) = default;
    static Result<BlockedTarget> from_json(const Json& json);
};

// What the kernel has refused to one sandbox.
struct FirewallReport {
    // Packets by reason: "lan", "meta" (link-local, cloud metadata), "cgnat", "mcast", "host",
    // "spoof" (false source), "proto" (neither TCP, UDP nor ICMP), "proxy" (would have passed it
    // by), "limit" (too many new connections). Reasons may be added.
    std::map<std::string, std::uint64_t> refused;
    // Of the last hour, in no order. A flood does not fill it: new ones are noted at a limited
    // rate.
    std::vector<BlockedTarget> blocked;
    static Result<FirewallReport> from_json(const Json& json);
};

void to_json(Json& json, const FirewallProbe& value);
void to_json(Json& json, const PortRange& value);
void to_json(Json& json, const AllowRule& value);
void to_json(Json& json, const PublishedPort& value);
void to_json(Json& json, const FirewallRequest& value);
void to_json(Json& json, const FirewallVerdict& value);
void to_json(Json& json, const BlockedTarget& value);
void to_json(Json& json, const FirewallReport& value);

// Limits where sandboxes may connect. Calls on one object come one at a time.
class Firewall {
  public:
    virtual ~Firewall() = default;

    // Changes nothing. Never fails because a right is missing: that is available = false.
    [[nodiscard]] virtual Result<FirewallProbe> probe(const Call& call) = 0;
    // Puts the rules up in one kernel transaction, before or after the interface exists; replaces
    // older ones of the same interface; restores whatever of the common part was changed or lost.
    [[nodiscard]] virtual Result<void> apply(const Call& call, const FirewallRequest& request) = 0;
    // Reads the rules back from the kernel and compares them with what `apply` puts there.
    [[nodiscard]] virtual Result<FirewallVerdict> verify(const Call& call,
                                                         const FirewallRequest& request) = 0;
    // The interface is closed from then on (unregistered), unless it is gone.
    [[nodiscard]] virtual Result<void> remove(const Call& call, const FirewallRequest& request) = 0;
    // Interfaces that are registered now.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const Call& call) = 0;
    // Only sandbox_id and interface of the request count. Not registered: nothing was refused.
    [[nodiscard]] virtual Result<FirewallReport> report(const Call& call,
                                                        const FirewallRequest& request) = 0;
    // See alca_firewall_1.connect.
    [[nodiscard]] virtual Result<void> connect(const Call& call, int fd) {
        static_cast<void>(call);
        static_cast<void>(fd);
        return fail(Code::unsupported, "this firewall works in this kernel only");
    }

  protected:
    Firewall() = default;
    Firewall(const Firewall&) = default;
    Firewall& operator=(const Firewall&) = default;
};

// ---- JSON form --------------------------------------------------------------------------------

inline std::string_view to_string(NetworkPolicy policy) {
    return policy == NetworkPolicy::open ? "open" : "internet";
}

inline std::string_view to_string(FirewallLayer layer) {
    return layer == FirewallLayer::inside ? "inside" : "host";
}

inline void to_json(Json& json, const FirewallProbe& value) {
    json = Json{
        {"available", value.available}, {"needs_root", value.needs_root}, {"layer", value.layer},
        {"by_helper", value.by_helper}, {"enters", value.enters},         {"reason", value.reason},
        {"strict", value.strict},       {"traffic", value.traffic},       {"inside", value.inside}};
}
inline Result<FirewallProbe> FirewallProbe::from_json(const Json& json) {
    FirewallProbe value;
    JsonReader in(json, "probe");
    in.require("available", value.available);
    in.read("needs_root", value.needs_root);
    in.read("layer", value.layer);
    in.read("by_helper", value.by_helper);
    in.read("enters", value.enters);
    in.read("reason", value.reason);
    in.read("strict", value.strict);
    in.read("traffic", value.traffic);
    in.read("inside", value.inside);
    return in.done(value);
}

inline void to_json(Json& json, const PortRange& value) {
    json = Json{{"first", value.first}, {"last", value.last}};
}
inline Result<PortRange> PortRange::from_json(const Json& json) {
    PortRange value;
    JsonReader in(json, "port range");
    in.require("first", value.first);
    in.require("last", value.last);
    if (in.ok() && (value.first == 0 || value.last < value.first)) {
        return fail(Code::invalid, "a port range goes from 1 or more upwards");
    }
    return in.done(value);
}

inline void to_json(Json& json, const AllowRule& value) {
    json = Json{{"to", value.to}, {"protocols", value.protocols}, {"ports", value.ports}};
}
inline Result<AllowRule> AllowRule::from_json(const Json& json) {
    AllowRule value;
    JsonReader in(json, "allow");
    in.require("to", value.to);
    in.read("protocols", value.protocols);
    in.read("ports", value.ports);
    if (!in.ok()) return in.done(value);
    for (const std::string& protocol : value.protocols) {
        if (protocol != "tcp" && protocol != "udp") {
            return fail(Code::invalid, "allow.protocols may hold \"tcp\" and \"udp\"");
        }
    }
    if (value.protocols.empty() && !value.ports.empty()) {
        return fail(Code::invalid, "allow.ports needs allow.protocols");
    }
    return value;
}

inline void to_json(Json& json, const PublishedPort& value) {
    json = Json{{"protocol", value.protocol}, {"port", value.port}, {"local", value.local}};
}
inline Result<PublishedPort> PublishedPort::from_json(const Json& json) {
    PublishedPort value;
    JsonReader in(json, "published");
    in.require("protocol", value.protocol);
    in.require("port", value.port);
    in.read("local", value.local);
    if (in.ok() && value.protocol != "tcp" && value.protocol != "udp") {
        return fail(Code::invalid, "published.protocol must be \"tcp\" or \"udp\"");
    }
    return in.done(value);
}

inline void to_json(Json& json, const FirewallRequest& value) {
    json = Json{{"sandbox_id", value.sandbox_id},
                {"interface", value.interface},
                {"policy", to_string(value.policy)},
                {"dns", value.dns},
                {"allow", value.allow},
                {"strict", value.strict},
                {"limits", value.limits},
                {"layer", to_string(value.layer)},
                {"pid", value.pid},
                {"gateways", value.gateways},
                {"published", value.published}};
    if (value.proxy) json["proxy"] = *value.proxy;
}
inline Result<FirewallRequest> FirewallRequest::from_json(const Json& json) {
    FirewallRequest value;
    std::string policy;
    std::string layer;
    JsonReader in(json, "request");
    in.require("sandbox_id", value.sandbox_id);
    in.require("interface", value.interface);
    in.require("policy", policy);
    in.read("dns", value.dns);
    in.read("allow", value.allow);
    in.read("strict", value.strict);
    in.read("layer", layer);
    in.read("pid", value.pid);
    in.read("gateways", value.gateways);
    in.read("published", value.published);
    in.read("proxy", value.proxy);
    in.read("limits", value.limits);
    if (!in.ok()) return in.done(value);
    if (layer == "inside") {
        value.layer = FirewallLayer::inside;
    } else if (!layer.empty() && layer != "host") {
        return fail(Code::invalid, "request.layer must be \"host\" or \"inside\"");
    }
    if (policy == "open") {
        value.policy = NetworkPolicy::open;
    } else if (policy != "internet") {
        return fail(Code::invalid, "request.policy must be \"internet\" or \"open\"");
    }
    return value;
}

inline void to_json(Json& json, const FirewallVerdict& value) {
    json = Json{{"intact", value.intact}, {"problem", value.problem}};
}
inline Result<FirewallVerdict> FirewallVerdict::from_json(const Json& json) {
    FirewallVerdict value;
    JsonReader in(json, "verdict");
    in.require("intact", value.intact);
    in.read("problem", value.problem);
    return in.done(value);
}

inline void to_json(Json& json, const BlockedTarget& value) {
    json = Json{{"address", value.address},
                {"protocol", value.protocol},
                {"port", value.port},
                {"packets", value.packets}};
}
inline Result<BlockedTarget> BlockedTarget::from_json(const Json& json) {
    BlockedTarget value;
    JsonReader in(json, "blocked");
    in.require("address", value.address);
    in.read("protocol", value.protocol);
    in.read("port", value.port);
    in.read("packets", value.packets);
    return in.done(value);
}

inline void to_json(Json& json, const FirewallReport& value) {
    json = Json{{"refused", value.refused}, {"blocked", value.blocked}};
}
inline Result<FirewallReport> FirewallReport::from_json(const Json& json) {
    FirewallReport value;
    JsonReader in(json, "report");
    in.read("refused", value.refused);
    in.read("blocked", value.blocked);
    return in.done(value);
}

}  // namespace alca

#endif
