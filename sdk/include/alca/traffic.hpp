// alca/traffic.hpp - what a firewall does with the traffic of one sandbox beyond allowing it: a
// proxy that it goes through, and limits.
#ifndef ALCA_TRAFFIC_HPP
#define ALCA_TRAFFIC_HPP

#include <cstdint>
#include <string>

#include "alca/json.hpp"
#include "alca/result.hpp"

namespace alca {

// Where the TCP connections of a sandbox go instead of their destination. It learns the destination
// as the kernel tells it (SO_ORIGINAL_DST).
struct TcpProxy {
    static constexpr const char* kHost = "host";  // this machine, by the sandbox's gateway address

    // kHost, or an IPv4 or IPv6 address: then TCP of the other family is refused.
    std::string to;
    std::uint16_t port = 0;  // 1 or more
    friend bool operator==(const TcpProxy&, const TcpProxy&) = default;
    static Result<TcpProxy> from_json(const Json& json);
};

// 0: no limit.
struct TrafficLimits {
    std::uint64_t bytes_per_second = 0;            // of each direction; what is more is dropped
    std::uint32_t new_connections_per_second = 0;  // of the sandbox; what is more is refused
    friend bool operator==(const TrafficLimits&, const TrafficLimits&) = default;
    static Result<TrafficLimits> from_json(const Json& json);
};

inline void to_json(Json& json, const TcpProxy& value) {
    json = Json{{"to", value.to}, {"port", value.port}};
}
inline Result<TcpProxy> TcpProxy::from_json(const Json& json) {
    TcpProxy value;
    JsonReader in(json, "proxy");
    in.require("to", value.to);
    in.require("port", value.port);
    if (in.ok() && value.port == 0) return fail(Code::invalid, "proxy.port is out of range");
    return in.done(value);
}

inline void to_json(Json& json, const TrafficLimits& value) {
    json = Json{{"bytes_per_second", value.bytes_per_second},
                {"new_connections_per_second", value.new_connections_per_second}};
}
inline Result<TrafficLimits> TrafficLimits::from_json(const Json& json) {
    TrafficLimits value;
    JsonReader in(json, "limits");
    in.read("bytes_per_second", value.bytes_per_second);
    in.read("new_connections_per_second", value.new_connections_per_second);
    return in.done(value);
}

}  // namespace alca

#endif
