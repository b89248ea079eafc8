#include <fmt/format.h>

#include "core/config/proxy.hpp"
#include "core/config/quantity.hpp"
#include "core/config/sections.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

// The kernel counts time in nanoseconds and tokens in 64 bits: it takes up to about 16 GiB.
constexpr std::int64_t kLeastBandwidth = std::int64_t{16} * 1024;
constexpr std::int64_t kMostBandwidth = std::int64_t{10} * 1024 * 1024 * 1024;
constexpr std::int64_t kMostNewConnections = 1'000'000;

void read_bandwidth(const toml::node& node, Reading& reading) {
    constexpr std::string_view kKey = "network.limits.bandwidth";
    const auto text = read_string(node, kKey, reading.problems);
    if (!text || text->empty()) return;
    const auto bytes = parse_memory(*text);
    if (!bytes) {
        return reading.problems.add(
            position_of(node),
            fmt::format("{}: {} is not an amount of bytes a second; write it as \"500k\" or "
                        "\"20m\"",
                        kKey, in_quotes(*text)));
    }
    if (*bytes < kLeastBandwidth || *bytes > kMostBandwidth) {
        return reading.problems.add(
            position_of(node),
            fmt::format("{}: must be from {} to {} bytes a second; without a limit, leave it out",
                        kKey, format_memory(kLeastBandwidth), format_memory(kMostBandwidth)));
    }
    reading.config.network.limits.bytes_per_second = static_cast<std::uint64_t>(*bytes);
}

}  // namespace

void read_proxy(const TableReader& network, Reading& reading) {
    const toml::node* node = network.find("proxy");
    if (node == nullptr) return;
    const auto text = read_string(*node, "network.proxy", reading.problems);
    if (!text || text->empty()) return;
    auto proxy = parse_proxy(*text);
    if (!proxy) {
        return reading.problems.add(position_of(*node),
                                    fmt::format("network.proxy: {}", proxy.error().message));
    }
    if (!reading.config.network.ipv6 && proxy->to.find(':') != std::string::npos) {
        return reading.problems.add(
            position_of(*node),
            "network.proxy: the sandbox has no IPv6, so nothing could go there; set network.ipv6 = "
            "true or name the proxy's IPv4 address");
    }
    reading.config.network.proxy = std::move(*proxy);
}

void read_limits(const TableReader& network, Reading& reading) {
    const toml::table* table = network.table("limits");
    if (table == nullptr) return;
    const TableReader limits(*table, "network.limits", "network.limits", reading.problems);
    if (const auto* node = limits.find("bandwidth")) read_bandwidth(*node, reading);
    std::int64_t connections = 0;
    if (!limits.read("new-connections", connections)) return;
    if (connections < 1 || connections > kMostNewConnections) {
        return reading.problems.add(
            position_of(*limits.find("new-connections")),
            fmt::format("network.limits.new-connections: must be from 1 to {} a second; without a "
                        "limit, leave it out",
                        kMostNewConnections));
    }
    reading.config.network.limits.new_connections_per_second =
        static_cast<std::uint32_t>(connections);
}

}  // namespace alca::config
