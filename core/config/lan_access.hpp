// core/config/lan_access.hpp - the grammar of one network.lan-access entry.
#ifndef ALCA_CORE_CONFIG_LAN_ACCESS_HPP
#define ALCA_CORE_CONFIG_LAN_ACCESS_HPP

#include <optional>
#include <string>
#include <string_view>

#include "alca/result.hpp"
#include "core/config/config.hpp"

namespace alca::config {

// Stands for this machine, by each of its addresses.
inline constexpr std::string_view kHostToken = "${alca:HOST_IP}";

// "[proto://]addr[:ports]": proto tcp, udp or *; addr an IPv4 or IPv6 address, a CIDR of either, a
// host name or ${alca:HOST_IP}; ports "80", "8000-8100", a list "80,443,8000-8100" of 64 parts at
// most, or "*". Ports without proto mean TCP; neither: TCP, UDP, ICMP. IPv6 with ports needs
// brackets. Blanks around are ignored. Bits behind a CIDR's prefix are cleared. Equal rules have
// the same text. nullopt: "*". Errors: invalid, "lan-access rule ...".
[[nodiscard]] Result<std::optional<LanRule>> parse_lan_rule(std::string_view text);

// Numeric IPv4 or IPv6 that can be a resolver's: neither loopback, unspecified nor multicast.
// Returns its canonical form. Errors: invalid.
[[nodiscard]] Result<std::string> parse_resolver(const std::string& text);

}  // namespace alca::config

#endif
