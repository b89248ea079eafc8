// core/config/lan_access.hpp - the grammar of one network.lan-access entry.
#ifndef ALCA_CORE_CONFIG_LAN_ACCESS_HPP
#define ALCA_CORE_CONFIG_LAN_ACCESS_HPP

#include <string_view>

#include "alca/result.hpp"

namespace alca::config {

enum class LanAccess { everything, one_destination };

// "*", or one destination "[proto://]addr[:port]": proto tcp, udp or *; addr IPv4, IPv6, a CIDR of
// either or ${alca:HOST_IP}; port 1-65535 or *. IPv6 with a port needs brackets. Blanks around are
// ignored. Errors: invalid, "lan-access rule ...".
[[nodiscard]] Result<LanAccess> parse_lan_rule(std::string_view text);

}  // namespace alca::config

#endif
