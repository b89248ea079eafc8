// core/config/lan_access.hpp - the grammar of one network.lan-access entry.
#ifndef ALCA_CORE_CONFIG_LAN_ACCESS_HPP
#define ALCA_CORE_CONFIG_LAN_ACCESS_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "alca/result.hpp"

namespace alca::config {

enum class LanProtocol { all, tcp, udp, tcp_and_udp };

// One destination. `*` is { .everything = true } and nothing else.
struct LanRule {
    bool everything = false;
    LanProtocol protocol = LanProtocol::all;
    bool ipv6 = false;
    std::string address;     // an address, or "${alca:HOST_IP}"
    int prefix_length = -1;  // -1: one address
    std::uint16_t port = 0;  // 0: every port
};

// "*" or "[proto://]addr[:port]": proto tcp, udp or *; addr IPv4, IPv6, a CIDR of either or
// ${alca:HOST_IP}; port 1-65535 or *. IPv6 with a port needs brackets. Blanks around are ignored.
// Errors: invalid, "lan-access rule ...".
[[nodiscard]] Result<LanRule> parse_lan_rule(std::string_view text);

}  // namespace alca::config

#endif
