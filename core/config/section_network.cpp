#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "core/config/lan_access.hpp"
#include "core/config/sections.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

bool is_address(const std::string& text) {
    in6_addr parsed{};
    return ::inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

Result<std::uint16_t> checked_port(std::int64_t number) {
    if (number < 1 || number > 65535) {
        return fail(Code::invalid, fmt::format("port {} out of range 1-65535", number));
    }
    return static_cast<std::uint16_t>(number);
}

Result<std::uint16_t> parse_port(std::string_view text) {
    if (text.empty()) return fail(Code::invalid, "port number is empty");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return fail(Code::invalid, fmt::format("port {} is not a number", in_quotes(text)));
    }
    return checked_port(number);
}

Result<Port> check(Port port) {
    if (port.protocol != "tcp" && port.protocol != "udp") {
        return fail(Code::invalid,
                    fmt::format("protocol {} must be tcp or udp", in_quotes(port.protocol)));
    }
    if (!is_address(port.host_ip)) {
        return fail(Code::invalid,
                    fmt::format("hostIp {} is not a valid IP address", in_quotes(port.host_ip)));
    }
    return port;
}

// "C", "H:C" or "IP:H:C", then perhaps "/tcp" or "/udp".
Result<Port> parse_port_string(std::string_view text) {
    if (text.empty()) return fail(Code::invalid, "port string is empty");
    Port port;
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        port.protocol = text.substr(slash + 1);
        text = text.substr(0, slash);
    }
    std::vector<std::string_view> parts;
    for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
         colon = text.find(':')) {
        parts.push_back(text.substr(0, colon));
        text.remove_prefix(colon + 1);
    }
    parts.push_back(text);
    if (parts.size() > 3) {
        return fail(Code::invalid, "too many colons; write IPv6 addresses in the table form");
    }
    if (parts.size() == 3) port.host_ip = parts[0];
    const auto container = parse_port(parts.back());
    const auto host = parse_port(parts.size() == 1 ? parts[0] : parts[parts.size() - 2]);
    if (!host) return fail(host.error());
    if (!container) return fail(container.error());
    port.host_port = *host;
    port.container_port = *container;
    return check(std::move(port));
}

Result<Port> read_port_table(const TableReader& table) {
    Port port;
    std::int64_t inside = 0;
    std::int64_t outside = 0;
    if (!table.read("port", inside)) {
        return fail(Code::invalid, "port is required and must be an integer");
    }
    table.read("hostPort", outside);
    table.read("hostIp", port.host_ip);
    table.read("protocol", port.protocol);
    if (port.host_ip.empty()) port.host_ip = "127.0.0.1";
    if (port.protocol.empty()) port.protocol = "tcp";
    const auto container = checked_port(inside);
    if (!container) return fail(container.error());
    const auto host = checked_port(outside == 0 ? inside : outside);
    if (!host) return fail(host.error());
    port.container_port = *container;
    port.host_port = *host;
    return check(std::move(port));
}

void read_ports(const toml::node& node, Reading& reading) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return reading.problems.add_type(node, "network.ports", "an array");
    std::set<std::tuple<std::string, std::uint16_t, std::string>> taken;
    for (std::size_t i = 0; i < array->size(); ++i) {
        const toml::node& item = (*array)[i];
        const std::string shown = fmt::format("network.ports[{}]", i);
        Result<Port> port;
        if (item.is_string()) {
            port = parse_port_string(item.as_string()->get());
        } else if (item.is_table()) {
            port = read_port_table(
                TableReader(*item.as_table(), "network.ports[]", shown, reading.problems));
        } else {
            reading.problems.add_type(item, shown, "a string or a table {port}");
            continue;
        }
        if (port && !taken.emplace(port->host_ip, port->host_port, port->protocol).second) {
            port = fail(Code::invalid, fmt::format("port {} of {} is already used; keep one",
                                                   port->host_port, port->host_ip));
        }
        if (!port) {
            reading.problems.add(position_of(item),
                                 fmt::format("{}: {}", shown, port.error().message));
            continue;
        }
        reading.config.network.ports.push_back(std::move(*port));
    }
}

// What the firewall takes for one sandbox: FirewallRequest::allow, by protocol and port range.
constexpr std::size_t kMostDestinations = 256;

std::size_t weight(const LanRule& rule) {
    const std::size_t addresses = rule.name.empty() ? 1 : 2;  // a name may have one of each family
    return addresses * std::max<std::size_t>(1, rule.rule.protocols.size()) *
           std::max<std::size_t>(1, rule.rule.ports.size());
}

void read_lan_access(const toml::node& node, Reading& reading) {
    const toml::array* array = node.as_array();
    if (array == nullptr) {
        return reading.problems.add_type(node, "network.lan-access", "an array of strings");
    }
    Network& network = reading.config.network;
    std::set<std::string> known;                        // by their canonical text
    std::size_t destinations = 2 * network.dns.size();  // each one by TCP and UDP
    std::optional<std::size_t> first_beyond;
    for (std::size_t i = 0; i < array->size(); ++i) {
        const toml::node& item = (*array)[i];
        const std::string shown = fmt::format("network.lan-access[{}]", i);
        const auto text = read_string(item, shown, reading.problems);
        if (!text) continue;
        const auto parsed = parse_lan_rule(*text);
        if (!parsed) {
            reading.problems.add(position_of(item),
                                 fmt::format("{}: {}", shown, parsed.error().message));
            continue;
        }
        const std::optional<LanRule>& rule = *parsed;
        if (!rule.has_value()) {
            network.open = true;
        } else if (known.insert(rule->text).second) {
            destinations += weight(*rule);
            if (destinations > kMostDestinations && !first_beyond) first_beyond = i;
            network.lan_access.push_back(*rule);
        }
    }
    // Beside "*" other entries ask for nothing more.
    if (network.open) return network.lan_access.clear();
    if (first_beyond) {
        reading.problems.add(
            position_of((*array)[*first_beyond]),
            fmt::format("network.lan-access[{}]: more than {} destinations (each protocol and each "
                        "port range counts, a host name twice); write networks and port ranges",
                        *first_beyond, kMostDestinations));
    }
}

void read_dns(const toml::node& node, Reading& reading) {
    // More than resolv.conf(5) uses would be ignored inside.
    constexpr std::size_t kMost = 3;
    const toml::array* array = node.as_array();
    if (array == nullptr) {
        return reading.problems.add_type(node, "network.dns", "an array of strings");
    }
    std::vector<std::string>& resolvers = reading.config.network.dns;
    for (std::size_t i = 0; i < array->size(); ++i) {
        const toml::node& item = (*array)[i];
        const std::string shown = fmt::format("network.dns[{}]", i);
        const auto text = read_string(item, shown, reading.problems);
        if (!text) continue;
        auto address = parse_resolver(*text);
        if (!address) {
            reading.problems.add(position_of(item),
                                 fmt::format("{}: {}", shown, address.error().message));
        } else if (std::find(resolvers.begin(), resolvers.end(), *address) != resolvers.end()) {
            continue;
        } else if (resolvers.size() == kMost) {
            return reading.problems.add(position_of(item),
                                        fmt::format("{}: {} resolvers at most", shown, kMost));
        } else {
            resolvers.push_back(std::move(*address));
        }
    }
}

void check_strict(const toml::node& node, Reading& reading) {
    if (!reading.config.network.strict || !reading.config.network.open) return;
    reading.problems.add(position_of(node),
                         "network.strict: with lan-access = [\"*\"] there is nothing to keep "
                         "closed; take one of them out");
}

}  // namespace

void read_network(const TableReader& file, Reading& reading) {
    const toml::table* table = file.table("network");
    if (table == nullptr) return;
    const TableReader network(*table, "network", "network", reading.problems);
    network.read("ipv6", reading.config.network.ipv6);
    if (const auto* node = network.find("ports")) read_ports(*node, reading);
    // Resolvers first: they count among the destinations.
    if (const auto* node = network.find("dns")) read_dns(*node, reading);
    if (const auto* node = network.find("lan-access")) read_lan_access(*node, reading);
    if (const auto* node = network.find("strict")) {
        network.read("strict", reading.config.network.strict);
        check_strict(*node, reading);
    }
    read_proxy(network, reading);
    read_limits(network, reading);
}

}  // namespace alca::config
